/* The host and port of a workspace as they stand in a URL. */
#include "conf/authority.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/ascii.h"
#include "common/secret.h"
#include "common/token_shape.h"

/* RFC 1035, 2.3.4, for the text form: without the length byte in front and the root's behind. */
enum { NAME_MAX_BYTES = 253, LABEL_MAX_BYTES = 63 };

static bool fail(struct authority_fault *fault, const char *at, const char *text)
{
    *fault = (struct authority_fault){.at = at, .text = text};
    return false;
}

static bool is_label_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_';
}

static bool check_label(const char *begin, const char *end, struct authority_fault *fault)
{
    if (begin == end)
        return fail(fault, begin, "the host has an empty part: check its dots");
    for (const char *c = begin; c < end; c++)
        if (!is_label_char(*c))
            return fail(fault, c, "a host may only have letters, digits, '-', '_' and '.'");
    if (end - begin > LABEL_MAX_BYTES)
        return fail(fault, begin, "a part of the host is longer than 63 characters");
    if (*begin == '-')
        return fail(fault, begin, "a part of the host begins with '-'");
    if (end[-1] == '-')
        return fail(fault, end - 1, "a part of the host ends with '-'");
    return true;
}

/* Resolvers take a name whose last part is a number, as in 10.1 or 0x7f000001, for an address. */
static bool is_number(const char *begin, const char *end)
{
    if (end - begin > 1 && begin[0] == '0' && (begin[1] == 'x' || begin[1] == 'X'))
        return true;
    while (begin < end && ascii_is_digit(*begin))
        begin++;
    return begin == end;
}

static bool parse_name(const char *begin, const char *end, struct authority *out,
                       struct authority_fault *fault)
{
    if (begin == end)
        return fail(fault, begin, "the host is missing");
    const char *label = begin;
    for (;;) {
        const char *dot = memchr(label, '.', (size_t)(end - label));
        if (!check_label(label, dot != NULL ? dot : end, fault))
            return false;
        if (dot == NULL)
            break;
        label = dot + 1;
    }
    if (end - begin > NAME_MAX_BYTES)
        return fail(fault, begin, "the host is longer than 253 characters");
    char *host = xstrndup(begin, (size_t)(end - begin));
    if (token_shape_in(host)) {
        secret_wipe_text(host);
        free(host);
        return fail(fault, begin,
                    "it looks like an access token, not a host: are the two swapped?");
    }
    ascii_lower_text(host);
    struct in_addr address;
    if (is_number(label, end) && inet_pton(AF_INET, host, &address) != 1) {
        free(host);
        return fail(fault, begin, "the host ends in a number but is not an IPv4 address");
    }
    out->host = host;
    return true;
}

/* Between the brackets. Canonical, so that an address has one spelling when hosts are compared. */
static bool parse_ipv6(const char *begin, const char *end, struct authority *out,
                       struct authority_fault *fault)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr address;
    if ((size_t)(end - begin) < sizeof text)
        memcpy(text, begin, (size_t)(end - begin));
    if (inet_pton(AF_INET6, text, &address) != 1)
        return fail(fault, begin, "what stands in the brackets is not an IPv6 address");
    inet_ntop(AF_INET6, &address, text, sizeof text);
    out->host = xstrdup(text);
    return true;
}

static bool parse_port(const char *begin, const char *end, struct authority *out,
                       struct authority_fault *fault)
{
    if (begin == end)
        return fail(fault, begin, "the port is missing: write one after ':' or remove the ':'");
    uint32_t port = 0;
    for (const char *c = begin; c < end; c++) {
        if (!ascii_is_digit(*c))
            return fail(fault, c, "a port is a number from 1 to 65535");
        if (port <= UINT16_MAX)
            port = port * 10 + (uint32_t)(*c - '0');
    }
    if (port == 0 || port > UINT16_MAX)
        return fail(fault, begin, "a port is a number from 1 to 65535");
    out->port = (uint16_t)port;
    return true;
}

/* Finds the end of the host: the ':' in front of the port, or the end of the text. */
static bool split(const char *begin, const char *end, const char **ret_host_end,
                  struct authority_fault *fault)
{
    size_t len = (size_t)(end - begin);
    const char *user = memchr(begin, '@', len);
    if (user != NULL)
        return fail(fault, user, "a user in front of the host is not supported: remove it");
    if ((len == 5 && strncasecmp(begin, "http:", 5) == 0) ||
        (len == 6 && strncasecmp(begin, "https:", 6) == 0))
        return fail(fault, begin, "write the host alone, without http:// or https://");
    if (len == 0 || *begin != '[') {
        const char *colon = memchr(begin, ':', len);
        *ret_host_end = colon != NULL ? colon : end;
        if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL)
            return fail(fault, begin, "an IPv6 address must stand in brackets, as in [::1]:443");
        return true;
    }
    const char *bracket = memchr(begin, ']', len);
    if (bracket == NULL)
        return fail(fault, begin, "the ']' that ends the IPv6 address is missing");
    *ret_host_end = bracket + 1;
    if (bracket + 1 < end && bracket[1] != ':')
        return fail(fault, bracket + 1, "only ':' and a port may follow the ']'");
    return true;
}

bool authority_parse(const char *text, size_t len, struct authority *ret,
                     struct authority_fault *ret_fault)
{
    const char *end = text + len, *host_end = end;
    struct authority out = {0};
    if (!split(text, end, &host_end, ret_fault))
        return false;
    bool ok = len > 0 && *text == '[' ? parse_ipv6(text + 1, host_end - 1, &out, ret_fault)
                                      : parse_name(text, host_end, &out, ret_fault);
    ok = ok && (host_end == end || parse_port(host_end + 1, end, &out, ret_fault));
    if (ok)
        *ret = out;
    else
        authority_finish(&out);
    return ok;
}

void authority_finish(struct authority *authority)
{
    if (authority == NULL)
        return;
    free(authority->host);
    *authority = (struct authority){0};
}

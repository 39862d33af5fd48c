/* Takes the credential out of header lists. */
#include "daemon/scrub.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "proto/grpc_status.h"

/* What is searched for, borrowed from the binding. */
struct needles {
    struct {
        const char *bytes;
        size_t len;
    } items[METADATA_MAX_ENTRIES + 1];
    size_t count;
    size_t min_len; /* what is shorter holds none, in whatever form */
};

static const char replacement[] = "[token]";

_Static_assert(sizeof replacement - 1 <= SCRUB_TOKEN_MIN_BYTES, "a text only gets shorter");

static void add_needle(struct needles *needles, const char *bytes, size_t len, size_t min)
{
    if (len < min)
        return;
    if (needles->count == 0 || len < needles->min_len)
        needles->min_len = len;
    needles->items[needles->count].bytes = bytes;
    needles->items[needles->count++].len = len;
}

/* The credential stands behind the scheme's name: "Bearer ...". */
static void collect(const struct binding *binding, struct needles *needles)
{
    const struct secret *authorization = &binding->authorization;
    needles->count = 0;
    if (secret_is_set(authorization)) {
        const char *space = strchr(authorization->bytes, ' ');
        const char *start = space != NULL ? space + 1 : authorization->bytes;
        add_needle(needles, start, authorization->len - (size_t)(start - authorization->bytes),
                   SCRUB_TOKEN_MIN_BYTES);
    }
    for (size_t i = 0; i < binding->headers.count; i++) {
        const struct secret *value = &binding->headers.entries[i].value;
        add_needle(needles, value->bytes, value->len, SCRUB_HEADER_MIN_BYTES);
    }
}

static bool holds(const struct needles *needles, const char *text, size_t len)
{
    for (size_t i = 0; i < needles->count; i++)
        if (memmem(text, len, needles->items[i].bytes, needles->items[i].len) != NULL)
            return true;
    return false;
}

/* Replaces every needle in the text; returns its new length, which is not more. */
static size_t replace(const struct needles *needles, char *text, size_t len)
{
    size_t mark = strlen(replacement);
    for (size_t i = 0; i < needles->count; i++) {
        size_t needle = needles->items[i].len, from = 0;
        char *found;
        while ((found = memmem(text + from, len - from, needles->items[i].bytes, needle)) != NULL) {
            size_t at = (size_t)(found - text);
            /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): in the middle of a text */
            memcpy(found, replacement, mark);
            memmove(found + mark, found + needle, len - at - needle);
            len -= needle - mark;
            from = at + mark;
        }
    }
    return len;
}

/* Does one base64 text hold a needle? Padding may be missing, as gRPC leaves it out. What cannot be
 * decoded holds nothing for a client either. */
static bool base64_holds(const struct needles *needles, const char *text, size_t len)
{
    size_t padded = (len + 3) / 4 * 4;
    unsigned char *in = xcalloc(1, padded + 1), *out = xcalloc(1, padded + 1);
    memset(in, '=', padded);
    memcpy(in, text, len);
    int decoded = EVP_DecodeBlock(out, in, (int)padded);
    bool found = decoded > 0 && holds(needles, (const char *)out, (size_t)decoded);
    OPENSSL_cleanse(out, padded);
    free(in);
    free(out);
    return found;
}

/* Several values of one -bin name may be joined by commas. */
static bool binary_holds(const struct needles *needles, const char *value)
{
    for (const char *item = value;; item++) {
        size_t len = strcspn(item, ",");
        if (len > 0 && base64_holds(needles, item, len))
            return true;
        item += len;
        if (*item == '\0')
            return false;
    }
}

/* True where the message held a needle, and now holds the replacement. */
static bool scrub_message(struct header_list *headers, size_t index, const struct needles *needles)
{
    const struct header_field *field = &headers->fields[index];
    const char *value = header_field_value(headers, field);
    size_t size = (size_t)field->value_len + 1;
    char *text = xcalloc(1, size);
    size_t len = grpc_message_decode(value, field->value_len, text, size);
    bool found = holds(needles, text, len) || holds(needles, value, field->value_len);
    if (found) {
        char *encoded = xcalloc(1, size);
        text[replace(needles, text, len)] = '\0';
        header_list_shorten(headers, index, encoded, grpc_message_encode(text, encoded, size));
        free(encoded);
    }
    OPENSSL_cleanse(text, size);
    free(text);
    return found;
}

static bool is_binary(const char *name, size_t len)
{
    return len > 4 && memcmp(name + len - 4, "-bin", 4) == 0;
}

bool scrub_headers(struct header_list *headers, const struct binding *binding)
{
    struct needles needles;
    bool found = false;
    collect(binding, &needles);
    if (needles.count == 0)
        return false;
    for (size_t i = headers->count; i-- > 0;) {
        const struct header_field *field = &headers->fields[i];
        const char *name = header_field_name(headers, field);
        const char *value = header_field_value(headers, field);
        if (field->value_len < needles.min_len)
            continue;
        if (field->known == KNOWN_GRPC_MESSAGE) {
            found = scrub_message(headers, i, &needles) || found;
        } else if (holds(&needles, value, field->value_len) ||
                   (is_binary(name, field->name_len) && binary_holds(&needles, value))) {
            header_list_remove(headers, i);
            found = true;
        }
    }
    return found;
}

/* The secrets that are in use, in the forms in which they may turn up in a text. */
#include "common/redaction.h"

#include <openssl/evp.h>
#include <string.h>

/* So many bytes of a secret's beginning are taken for it where the text goes on differently. */
enum { RECOGNISED_BYTES = 12 };

static struct list redactions = {&redactions, &redactions};

static void set_percent_encoded(struct secret *form, const struct secret *secret)
{
    static const char hex[] = "0123456789ABCDEF";
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~"; /* RFC 3986, 2.3 */
    secret_reserve(form, 3 * secret->len);
    for (size_t i = 0; i < secret->len; i++) {
        unsigned char c = (unsigned char)secret->bytes[i];
        if (c != '\0' && strchr(unreserved, c) != NULL) {
            form->bytes[form->len++] = (char)c;
            continue;
        }
        form->bytes[form->len++] = '%';
        form->bytes[form->len++] = hex[c >> 4];
        form->bytes[form->len++] = hex[c & 15];
    }
}

/* The characters that the secret alone decides where `before` bytes are in front of it, 0 to 2. */
static void set_base64(struct secret *form, const struct secret *secret, size_t before)
{
    struct secret padded = {0}, encoded = {0};
    size_t len = before + secret->len;
    secret_reserve(&padded, len);
    memcpy(padded.bytes + before, secret->bytes, secret->len);
    secret_reserve(&encoded, (len + 2) / 3 * 4);
    EVP_EncodeBlock((unsigned char *)encoded.bytes, (const unsigned char *)padded.bytes, (int)len);
    size_t first = (8 * before + 5) / 6, end = 8 * len / 6;
    secret_set(form, encoded.bytes + first, end - first);
    secret_finish(&padded);
    secret_finish(&encoded);
}

void redaction_begin(struct redaction *redaction, const struct secret *secret)
{
    redaction_end(redaction);
    if (secret->len < REDACTION_MIN_BYTES)
        return;
    secret_set(&redaction->forms[0], secret->bytes, secret->len);
    set_percent_encoded(&redaction->forms[1], secret);
    for (size_t before = 0; before < 3; before++)
        set_base64(&redaction->forms[2 + before], secret, before);
    list_init(&redaction->link);
    list_append(&redactions, &redaction->link);
}

void redaction_end(struct redaction *redaction)
{
    if (!secret_is_set(&redaction->forms[0]))
        return;
    list_remove(&redaction->link);
    for (size_t i = 0; i < REDACTION_FORMS; i++)
        secret_finish(&redaction->forms[i]);
}

/* The bytes that both have in front, where they are enough to be the secret's. */
static size_t match_form(const struct secret *form, const char *text)
{
    size_t len = 0;
    while (len < form->len && text[len] != '\0' && text[len] == form->bytes[len])
        len++;
    return len == form->len || len >= RECOGNISED_BYTES ? len : 0;
}

size_t redaction_match(const char *text)
{
    size_t longest = 0;
    list_for_each(node, &redactions)
    {
        const struct redaction *redaction = container_of(node, struct redaction, link);
        for (size_t i = 0; i < REDACTION_FORMS; i++) {
            size_t len = match_form(&redaction->forms[i], text);
            longest = len > longest ? len : longest;
        }
    }
    return longest;
}

void redaction_append(struct strbuf *out, const char *text)
{
    while (*text != '\0') {
        size_t len = redaction_match(text);
        if (len > 0)
            strbuf_append_text(out, "[secret]");
        else
            strbuf_append_char(out, *text);
        text += len > 0 ? len : 1;
    }
}

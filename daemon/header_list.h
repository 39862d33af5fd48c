/*
 * A list of header fields, copied as they arrive and handed to nghttp2 to be sent on.
 *
 * Owner: the struct that embeds it; header_list_finish() wipes and frees
 * it, as a field may be a credential. A struct of zeroes, but for the recycler, is empty. The
 * size of a list is RFC 9113's (6.5.2: name, value and 32 bytes a field) and is limited before
 * anything is copied.
 */
#ifndef SPARKBRIDGE_DAEMON_HEADER_LIST_H
#define SPARKBRIDGE_DAEMON_HEADER_LIST_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/recycler.h"
#include "daemon/known_header.h"

enum {
    HEADER_LIST_MAX_BYTES = 128 * 1024,
    HEADER_LIST_MAX_FIELDS = 512,
    HEADER_FIELD_OVERHEAD_BYTES = 32,
};

struct header_field {
    uint32_t name, value, value_len; /* offsets into the text, which lacks names that are known */
    uint16_t name_len;
    uint8_t flags; /* NGHTTP2_NV_FLAG_NO_INDEX is kept */
    uint8_t known; /* an enum known_header */
};

struct header_list {
    struct recycler *recycler;   /* borrowed, where what is owned comes from; or NULL */
    char *text;                  /* owned: names and values, each with a NUL behind it */
    struct header_field *fields; /* owned */
    uint32_t text_len, text_cap;
    uint32_t text_used; /* the most that text_len has been: what there is to wipe */
    uint32_t count, cap;
    uint32_t bytes;     /* RFC 9113's size */
    uint32_t max_bytes; /* a lower limit than HEADER_LIST_MAX_BYTES, or 0 */
    bool too_large;     /* a field did not fit and was dropped */
};

/* Copies a field; past the limits it sets too_large instead. */
void header_list_add(struct header_list *list, const char *name, size_t name_len, const char *value,
                     size_t value_len, uint8_t flags);

/* The same for NUL-terminated text. */
void header_list_add_text(struct header_list *list, const char *name, const char *value);

/* Takes a field away and wipes its value, which may have been a credential. Those behind it move
 * up. */
void header_list_remove(struct header_list *list, size_t index);

/* Overwrites a field's value by one that is not longer. */
void header_list_shorten(struct header_list *list, size_t index, const char *value,
                         size_t value_len);

/* The first value of that name, or NULL. Valid until the next add. */
const char *header_list_find(const struct header_list *list, const char *name);
const char *header_list_get(const struct header_list *list, enum known_header header);

/* The same for all fields of that name; how many. */
size_t header_list_remove_all(struct header_list *list, const char *name);

const char *header_field_name(const struct header_list *list, const struct header_field *field);
const char *header_field_value(const struct header_list *list, const struct header_field *field);

/* A field for nghttp2 that points into the list, which must stay until nghttp2 has copied it. */
nghttp2_nv header_field_nv(const struct header_list *list, const struct header_field *field);

/* Empties it and keeps its memory, or drops that too where it has grown far. */
void header_list_reset(struct header_list *list);

/* Gives back the memory that it does not need: nothing will be added for a while. */
void header_list_fit(struct header_list *list);

void header_list_finish(struct header_list *list);

#endif

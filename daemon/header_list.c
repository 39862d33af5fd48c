/* A list of header fields. */
#include "daemon/header_list.h"

#include <assert.h>
#include <string.h>

#include "common/secret.h"

enum {
    FIRST_TEXT_BYTES = 256,
    FIRST_FIELDS = 12,
    KEEP_TEXT_BYTES = 4096, /* where there is more, a list that is emptied gives it back */
    KEEP_FIELDS = 32,
    WASTED_TEXT_BYTES = 64, /* less is not worth the move */
    WASTED_FIELDS = 4,
};

static void free_text(struct header_list *list)
{
    if (list->text_used > 0)
        secret_wipe(list->text, list->text_used);
    recycler_give(list->recycler, list->text);
}

/* realloc() would leave the old bytes where they were. */
static void move_text(struct header_list *list, uint32_t cap)
{
    char *text = recycler_take(list->recycler, cap);
    if (list->text_len > 0)
        memcpy(text, list->text, list->text_len);
    free_text(list);
    list->text = text;
    list->text_cap = cap;
    list->text_used = list->text_len;
}

static void grow_text(struct header_list *list, size_t size)
{
    uint32_t cap = list->text_cap == 0 ? FIRST_TEXT_BYTES : list->text_cap;
    while (cap < list->text_len + size)
        cap += cap / 2;
    move_text(list, cap);
}

static void move_fields(struct header_list *list, uint32_t cap)
{
    struct header_field *fields = recycler_take(list->recycler, cap * sizeof *fields);
    if (list->count > 0)
        memcpy(fields, list->fields, list->count * sizeof *fields);
    recycler_give(list->recycler, list->fields);
    list->fields = fields;
    list->cap = cap;
}

/* There is room. */
static uint32_t append(struct header_list *list, const char *text, size_t len)
{
    uint32_t at = list->text_len;
    memcpy(list->text + at, text, len);
    list->text[at + len] = '\0';
    list->text_len = at + (uint32_t)len + 1;
    return at;
}

void header_list_add(struct header_list *list, const char *name, size_t name_len, const char *value,
                     size_t value_len, uint8_t flags)
{
    size_t size = name_len + value_len + HEADER_FIELD_OVERHEAD_BYTES;
    size_t max = list->max_bytes != 0 ? list->max_bytes : HEADER_LIST_MAX_BYTES;
    if (list->count >= HEADER_LIST_MAX_FIELDS || name_len > UINT16_MAX || size > max ||
        list->bytes > max - size) {
        list->too_large = true;
        return;
    }
    if (list->count == list->cap)
        move_fields(list, list->cap == 0 ? FIRST_FIELDS : list->cap * 2);
    if (list->text_len + name_len + value_len + 2 > list->text_cap)
        grow_text(list, name_len + value_len + 2);
    list->bytes += (uint32_t)size;
    struct header_field *field = &list->fields[list->count++];
    field->known = (uint8_t)known_header(name, name_len);
    field->name = field->known == KNOWN_NONE ? append(list, name, name_len) : 0;
    field->name_len = (uint16_t)name_len;
    field->value = append(list, value, value_len);
    field->value_len = (uint32_t)value_len;
    if (list->text_len > list->text_used)
        list->text_used = list->text_len;
    field->flags = flags & NGHTTP2_NV_FLAG_NO_INDEX;
}

void header_list_add_text(struct header_list *list, const char *name, const char *value)
{
    header_list_add(list, name, strlen(name), value, strlen(value), NGHTTP2_NV_FLAG_NONE);
}

void header_list_remove(struct header_list *list, size_t index)
{
    struct header_field *field = &list->fields[index];
    explicit_bzero(list->text + field->value, field->value_len);
    list->bytes -= field->name_len + field->value_len + HEADER_FIELD_OVERHEAD_BYTES;
    list->count--;
    memmove(field, field + 1, (list->count - index) * sizeof *field);
}

void header_list_shorten(struct header_list *list, size_t index, const char *value,
                         size_t value_len)
{
    struct header_field *field = &list->fields[index];
    char *at = list->text + field->value;
    assert(value_len <= field->value_len);
    memcpy(at, value, value_len);
    explicit_bzero(at + value_len, field->value_len - value_len);
    list->bytes -= field->value_len - (uint32_t)value_len;
    field->value_len = (uint32_t)value_len;
}

const char *header_list_find(const struct header_list *list, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < list->count; i++) {
        const struct header_field *field = &list->fields[i];
        if (field->name_len == len && memcmp(header_field_name(list, field), name, len) == 0)
            return header_field_value(list, field);
    }
    return NULL;
}

const char *header_list_get(const struct header_list *list, enum known_header header)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->fields[i].known == header)
            return header_field_value(list, &list->fields[i]);
    return NULL;
}

size_t header_list_remove_all(struct header_list *list, const char *name)
{
    size_t before = list->count;
    for (size_t i = before; i-- > 0;)
        if (strcmp(header_field_name(list, &list->fields[i]), name) == 0)
            header_list_remove(list, i);
    return before - list->count;
}

const char *header_field_name(const struct header_list *list, const struct header_field *field)
{
    const char *known = known_header_name(field->known);
    return known != NULL ? known : list->text + field->name;
}

const char *header_field_value(const struct header_list *list, const struct header_field *field)
{
    return list->text + field->value;
}

nghttp2_nv header_field_nv(const struct header_list *list, const struct header_field *field)
{
    bool is_known = field->known != KNOWN_NONE;
    return (nghttp2_nv){
        .name = (uint8_t *)header_field_name(list, field),
        .namelen = field->name_len,
        .value = (uint8_t *)list->text + field->value,
        .valuelen = field->value_len,
        .flags = field->flags | (is_known ? NGHTTP2_NV_FLAG_NO_COPY_NAME : 0),
    };
}

void header_list_reset(struct header_list *list)
{
    if (list->text_cap > KEEP_TEXT_BYTES || list->cap > KEEP_FIELDS) {
        header_list_finish(list);
        return;
    }
    list->text_len = list->count = list->bytes = 0;
    list->too_large = false;
}

void header_list_fit(struct header_list *list)
{
    if (list->text_cap - list->text_len >= WASTED_TEXT_BYTES)
        move_text(list, list->text_len);
    if (list->cap - list->count >= WASTED_FIELDS)
        move_fields(list, list->count);
}

void header_list_finish(struct header_list *list)
{
    free_text(list);
    recycler_give(list->recycler, list->fields);
    *list = (struct header_list){.recycler = list->recycler};
}

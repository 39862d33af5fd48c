/* What is being served, and how a reload changes it. */
#include "daemon/serving.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/log.h"
#include "daemon/connect.h"
#include "daemon/listener.h"
#include "daemon/reload_report.h"

/* A listener that is served. */
struct entry {
    struct list link;
    struct serving *serving;
    char *name; /* owned */
    struct listener *listener;
    struct access *access; /* owned reference */
    bool removed;          /* it only waits for its clients */
};

static void entry_destroy(struct entry *entry)
{
    list_remove(&entry->link);
    listener_destroy(entry->listener);
    access_unref(entry->access);
    free(entry->name);
    free(entry);
}

static void on_listener_idle(void *owner)
{
    struct entry *entry = owner;
    struct serving *serving = entry->serving;
    if (entry->removed)
        entry_destroy(entry);
    if (serving->stopped && serving_is_idle(serving))
        serving->on_idle(serving);
}

static struct entry *entry_create(struct serving *serving, const char *name, struct access *access)
{
    struct entry *entry = xcalloc(1, sizeof *entry);
    entry->serving = serving;
    entry->name = xstrdup(name);
    const struct reception_config config = {
        .engine = serving->engine,
        .finder = &serving->finder,
        .users = serving->users,
        .quota = &serving->quota,
        .name = entry->name,
    };
    entry->access = access_ref(access);
    entry->listener = listener_create(&config, on_listener_idle, entry);
    listener_use(entry->listener, access);
    list_init(&entry->link);
    return entry;
}

static struct entry *find_entry(const struct serving *serving, const char *name)
{
    list_for_each(node, &serving->entries)
    {
        struct entry *entry = container_of(node, struct entry, link);
        if (!entry->removed && strcmp(entry->name, name) == 0)
            return entry;
    }
    return NULL;
}

/* The entry that has sockets for the address now, or NULL. */
static struct entry *find_address(const struct serving *serving, const char *address_text)
{
    list_for_each(node, &serving->entries)
    {
        struct entry *entry = container_of(node, struct entry, link);
        if (listener_has(entry->listener, address_text))
            return entry;
    }
    return NULL;
}

/* ---- first step of a change: what may fail ------------------------------------------------------
 */

/* Opens the sockets of a listener that nobody has yet, on an entry of its own. */
static bool prepare(struct serving *serving, const struct listener_config *config,
                    struct entry *fresh, struct err *err)
{
    for (size_t i = 0; i < config->address_count; i++)
        if (find_address(serving, config->addresses[i].text) == NULL &&
            !listener_open(fresh->listener, &config->addresses[i], config->socket_mode, err))
            return err_prefix(err, "listener %s: ", config->name);
    return true;
}

static void destroy_list(struct list *entries)
{
    /* Each takes itself off the list. */
    list_for_each(node, entries) entry_destroy(container_of(node, struct entry, link));
}

/* Entries for all listeners of `next`, in order, with the sockets and pools that are new. */
static bool prepare_all(struct serving *serving, const struct setup *next, struct list *ret_fresh,
                        struct err *err)
{
    const struct config *config = next->config;
    list_init(ret_fresh);
    for (size_t i = 0; i < config->listener_count; i++) {
        struct entry *old = find_entry(serving, config->listeners[i].name);
        const struct pool_config pool_config = {
            .engine = serving->engine,
            .connector = serving->connector,
            .tls = next->tls,
            .proxy = config->proxy.url.bytes,
            .no_proxy = config->proxy.no_proxy,
            .via = config->listeners[i].via,
            .connect_timeout_ms = config->connect_timeout_ms,
            .stream_window_bytes = config->stream_window_bytes,
        };
        struct entry *fresh = entry_create(serving, config->listeners[i].name, next->accesses[i]);
        access_open(fresh->access, &pool_config, old != NULL ? old->access : NULL);
        list_append(ret_fresh, &fresh->link);
        if (!prepare(serving, &config->listeners[i], fresh, err)) {
            destroy_list(ret_fresh);
            return false;
        }
    }
    return true;
}

/* ---- second step: what cannot fail --------------------------------------------------------------
 */

static bool address_is_configured(const void *arg, const char *address_text)
{
    const struct listener_config *config = arg;
    for (size_t i = 0; i < config->address_count; i++)
        if (strcmp(config->addresses[i].text, address_text) == 0)
            return true;
    return false;
}

/* Moves what was prepared to the entry that is served under that name, or serves it as it is. */
static void commit(struct serving *serving, const struct listener_config *config,
                   struct entry *fresh)
{
    struct entry *entry = find_entry(serving, config->name);
    list_remove(&fresh->link);
    if (entry == NULL) {
        entry = fresh;
        list_append(&serving->entries, &entry->link);
    } else {
        for (size_t i = 0; i < config->address_count; i++)
            listener_take(entry->listener, fresh->listener, config->addresses[i].text);
        listener_use(entry->listener, fresh->access);
        access_unref(entry->access);
        entry->access = access_ref(fresh->access);
        entry_destroy(fresh);
    }
    for (size_t i = 0; i < config->address_count; i++) {
        struct entry *holder = find_address(serving, config->addresses[i].text);
        if (holder != NULL && holder != entry)
            listener_take(entry->listener, holder->listener, config->addresses[i].text);
    }
}

static void remove_the_rest(struct serving *serving, const struct config *config)
{
    list_for_each(node, &serving->entries)
    {
        struct entry *entry = container_of(node, struct entry, link);
        const struct listener_config *kept = NULL;
        for (size_t i = 0; i < config->listener_count; i++)
            if (strcmp(config->listeners[i].name, entry->name) == 0)
                kept = &config->listeners[i];
        if (entry->removed)
            continue;
        if (kept != NULL) {
            listener_close_sockets(entry->listener, address_is_configured, kept);
            continue;
        }
        entry->removed = true;
        listener_stop(entry->listener);
        if (listener_is_idle(entry->listener))
            entry_destroy(entry);
    }
}

bool serving_change(struct serving *serving, struct setup *next, struct err *err)
{
    struct tls_context *tls = serving->setup.tls;
    if (tls != NULL && tls_context_equal(next->tls, tls)) {
        tls_context_unref(next->tls);
        next->tls = tls_context_ref(tls);
    }
    struct list fresh;
    if (!prepare_all(serving, next, &fresh, err))
        return false;

    for (size_t i = 0; i < next->config->listener_count; i++) {
        if (find_entry(serving, next->config->listeners[i].name) == NULL)
            setup_log_access(&next->config->listeners[i], next->accesses[i]);
        commit(serving, &next->config->listeners[i], list_first(&fresh, struct entry, link));
    }
    remove_the_rest(serving, next->config);
    if (serving->setup.config != NULL)
        reload_report(&serving->setup, next);
    setup_finish(&serving->setup);
    serving->setup = *next;
    serving->quota.limits = serving->setup.config->limits;
    *next = (struct setup){0};
    return true;
}

/* ---- life ------------------------------------------------------------------------------------ */

void serving_init(struct serving *serving, struct engine *engine,
                  void (*on_idle)(struct serving *serving))
{
    *serving = (struct serving){.engine = engine, .on_idle = on_idle};
    serving->connector = connector_create(engine);
    quota_init(&serving->quota, &engine->byte_pool);
    peer_finder_init(&serving->finder);
    serving->users = workers_create(engine->loop, USER_MAX_THREADS);
    list_init(&serving->entries);
}

void serving_stop(struct serving *serving)
{
    list_for_each(node, &serving->entries)
        listener_stop(container_of(node, struct entry, link)->listener);
    serving->stopped = true;
}

bool serving_is_idle(const struct serving *serving)
{
    list_for_each(node,
                  &serving->entries) if (!listener_is_idle(container_of(node, struct entry, link)
                                                               ->listener)) return false;
    return true;
}

void serving_each(const struct serving *serving, const struct serving_visitor *visitor)
{
    list_for_each(node, &serving->entries)
    {
        const struct entry *entry = container_of(node, struct entry, link);
        visitor->visit(visitor->arg, entry->name, entry->listener, entry->access, entry->removed);
    }
}

void serving_abort_calls(struct serving *serving, const char *reason)
{
    list_for_each(node, &serving->entries)
        listener_abort_calls(container_of(node, struct entry, link)->listener, reason);
}

void serving_finish(struct serving *serving)
{
    serving->stopped = false;
    destroy_list(&serving->entries);
    workers_destroy(serving->users);
    peer_finder_finish(&serving->finder);
    assert(serving->quota.connections == 0 && serving->quota.calls == 0);
    setup_finish(&serving->setup); /* its pools may be connecting */
    connector_destroy(serving->connector);
}

/*
 * Events that the journal's catalog explains (packaging/systemd/sparkbridge.catalog): each is a
 * field for log_fields(), the entry's MESSAGE_ID in the journal and left out elsewhere.
 *
 * The numbers never change: people search for them.
 */
#ifndef SPARKBRIDGE_COMMON_LOG_EVENTS_H
#define SPARKBRIDGE_COMMON_LOG_EVENTS_H

#include "common/log.h"

#define LOG_EVENT(id)                                                                              \
    {                                                                                              \
        LOG_EVENT_KEY, id                                                                          \
    }

#define LOG_EVENT_READY           LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b01")
#define LOG_EVENT_STOPPED         LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b02")
#define LOG_EVENT_DRAINING        LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b03")
#define LOG_EVENT_RELOADED        LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b04")
#define LOG_EVENT_NOT_RELOADED    LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b05")
#define LOG_EVENT_REFUSED         LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b06")
#define LOG_EVENT_UPSTREAM_FAILED LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b07")
#define LOG_EVENT_CALLS_ENDED     LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b08")
#define LOG_EVENT_UNUSED          LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b09")
#define LOG_EVENT_CLIENT_CUT      LOG_EVENT("6fe12d3a4b7c4b0c9a53f5a1c8d30b0a")

#endif

/* What the daemon gives up. */
#include "daemon/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "common/log.h"

void sandbox_hide_memory(void)
{
    const struct rlimit none = {0, 0};
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
}

static void warn_of_left_out(const struct sandbox_paths *paths)
{
    if (paths->left_out > 0)
        log_warn(
            "the sandbox has room for %d directories and leaves out %zu, the first %s: a reload "
            "can read nothing there and make no socket; keep these files in fewer directories, "
            "or switch the sandbox off",
            SANDBOX_MAX_PATHS, paths->left_out, paths->first_left_out);
}

void sandbox_enter(const struct setup *setup, const char *control_path, char *const *environment,
                   struct sandbox *ret_sandbox)
{
    static const char switched_off[] = "switched off by the option sandbox";
    if (setup->config->sandbox == SANDBOX_OFF) {
        *ret_sandbox = (struct sandbox){.landlock_off = switched_off, .seccomp_off = switched_off};
    } else {
        struct sandbox_paths paths = {0};
        sandbox_paths_collect(setup, control_path, environment, &paths);
        warn_of_left_out(&paths);
        ret_sandbox->landlock_off = sandbox_landlock(&paths, &ret_sandbox->landlock_abi);
        ret_sandbox->seccomp_off = sandbox_seccomp();
        sandbox_paths_finish(&paths);
    }
    log_fields(LOG_LEVEL_INFO, "sandbox",
               {"landlock", ret_sandbox->landlock_off != NULL ? ret_sandbox->landlock_off : "on"},
               {"seccomp", ret_sandbox->seccomp_off != NULL ? ret_sandbox->seccomp_off : "on"});
}

/* Loading libcurl. */
#include "daemon/libcurl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset; /* of its pointer in struct libcurl */
} functions[] = {
#define LIBCURL_ROW(name) {"curl_" #name, offsetof(struct libcurl, name)},
    LIBCURL_FUNCTIONS(LIBCURL_ROW)
#undef LIBCURL_ROW
};

static bool fail(struct err *err)
{
    /* The loader's words name the file and may be long, as paths are. */
    return err_set(err, EX_UNAVAILABLE,
                   "a proxy needs libcurl, which cannot be loaded (%.110s): install libcurl4",
                   dlerror());
}

bool libcurl_load(struct libcurl *ret_curl, struct err *err)
{
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return fail(err);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *function = dlsym(library, functions[i].name);
        if (function == NULL) {
            fail(err);
            dlclose(library); /* something else of that name, which must not stay under it */
            return false;
        }
        /* ISO C has no cast from an object's address to a function's; POSIX wants it to work. */
        memcpy((char *)ret_curl + functions[i].offset, &function, sizeof function);
    }
    return true;
}

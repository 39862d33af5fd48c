/* The memory of secrets: blocks apart from each other, wiped, guarded, and hidden as promised. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/secret_memory.h"

static size_t blocks(void)
{
    struct secret_memory_usage usage;
    secret_memory_usage(&usage);
    return usage.blocks;
}

static void assert_all(const char *bytes, size_t len, char value)
{
    for (size_t i = 0; i < len; i++)
        assert_int_equal(bytes[i], value);
}

static void test_blocks_of_every_size(void **state)
{
    enum { COUNT = 400 };
    char *taken[COUNT];
    size_t sizes[COUNT], before = blocks();
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            sizes[i] = 1 + i * i / 3; /* to 53 KiB: small ones, and mappings of their own */
            taken[i] = secret_memory_take(sizes[i]);
            assert_all(taken[i], sizes[i], 0);
            memset(taken[i], (int)(i % 100) + 1, sizes[i]);
        }
        assert_int_equal(blocks(), before + COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_all(taken[i], sizes[i], (char)(i % 100 + 1)); /* nobody wrote over it */
        for (size_t i = 0; i < COUNT; i += 2)
            secret_memory_give(taken[i]);
        for (size_t i = 1; i < COUNT; i += 2)
            secret_memory_give(taken[i]);
        assert_int_equal(blocks(), before);
    }
}

/* What the kernel says of the mapping that `address` is in: the line of /proc/self/smaps that
 * begins with `name`. */
static void read_smaps(const void *address, const char *name, char *ret_line, size_t size)
{
    FILE *file = fopen("/proc/self/smaps", "r");
    unsigned long first, end;
    char line[512];
    bool here = false;
    ret_line[0] = '\0';
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        char *after;
        first = strtoul(line, &after, 16);
        end = *after == '-' ? strtoul(after + 1, &after, 16) : 0;
        if (end > first && *after == ' ')
            here = (uintptr_t)address >= first && (uintptr_t)address < end;
        else if (here && strncmp(line, name, strlen(name)) == 0)
            snprintf(ret_line, size, "%s", line);
    }
    fclose(file);
}

static void test_kernel_was_told(void **state)
{
    char flags[512];
    char *small = secret_memory_take(40), *large = secret_memory_take(300000);
    char *control = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const char *const secrets[] = {small, large};
    for (size_t i = 0; i < 2; i++) {
        read_smaps(secrets[i], "VmFlags:", flags, sizeof flags);
        assert_non_null(strstr(flags, " dd")); /* not in a core dump */
        assert_non_null(strstr(flags, " wf")); /* empty in a child */
#ifndef SPARKBRIDGE_CHECKS                     /* the sanitizers' mlock() does nothing */
        assert_non_null(strstr(flags, " lo"));
#endif
    }
    read_smaps(control, "VmFlags:", flags, sizeof flags);
    assert_null(strstr(flags, " dd"));
    assert_null(strstr(flags, " lo"));
    munmap(control, 4096);
    secret_memory_give(small);
    secret_memory_give(large);
}

/* How a child ends that does `act`: 0, or its signal. */
static int child_ends(void (*act)(char *), char *bytes)
{
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        act(bytes);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void read_in_child(char *bytes)
{
    _exit(bytes[0] == 0 ? 0 : 1);
}

static void test_a_child_sees_nothing(void **state)
{
    char *bytes = secret_memory_take(16);
    bytes[0] = 's';
    assert_int_equal(child_ends(read_in_child, bytes), 0);
    assert_int_equal(bytes[0], 's');
    secret_memory_give(bytes);
}

/* The first byte behind a mapping of its own, which is 4096 * 5 bytes long. */
static void read_behind(char *bytes)
{
    const volatile char *page = (char *)((uintptr_t)bytes & ~(uintptr_t)4095);
    const size_t bytes_mapped = (size_t)4096 * 5;
    (void)page[bytes_mapped - 1];
    (void)page[bytes_mapped];
}

static void read_before(char *bytes)
{
    const volatile char *page = (char *)((uintptr_t)bytes & ~(uintptr_t)4095);
    (void)page[-1];
}

static void read_inside(char *bytes)
{
    (void)*(const volatile char *)bytes;
}

static void test_guard_pages(void **state)
{
    char *bytes = secret_memory_take(4096 * 5 - 16);
    assert_int_equal(child_ends(read_inside, bytes), 0);
    assert_int_equal(child_ends(read_behind, bytes), SIGSEGV);
    assert_int_equal(child_ends(read_before, bytes), SIGSEGV);
    secret_memory_give(bytes);
}

static void take_too_much(char *bytes)
{
    fclose(stderr);
    signal(SIGABRT, SIG_DFL);
    secret_memory_take(SECRET_MEMORY_MAX_BYTES);
}

static void test_total_is_bounded(void **state)
{
    assert_int_equal(child_ends(take_too_much, NULL), SIGABRT);
}

/* Without a right to lock everything works, and the usage says so. */
static void take_unlocked(char *bytes)
{
    const struct rlimit none = {0, 0};
    struct secret_memory_usage before, after;
    if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
        _exit(2);
    setrlimit(RLIMIT_MEMLOCK, &none);
    secret_memory_usage(&before);
    char *taken = secret_memory_take(100000);
    memset(taken, 'x', 100000);
    secret_memory_usage(&after);
#ifdef SPARKBRIDGE_CHECKS
    before.locked_bytes = after.locked_bytes;
    after.lock_error = 1;
#endif
    bool said = after.locked_bytes == before.locked_bytes && after.lock_error != 0 &&
                after.mapped_bytes > before.mapped_bytes + 99999;
    secret_memory_give(taken);
    secret_memory_usage(&after);
    _exit(said && after.mapped_bytes == before.mapped_bytes ? 0 : 1);
}

static void test_locking_may_fail(void **state)
{
    assert_int_equal(child_ends(take_unlocked, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_of_every_size), cmocka_unit_test(test_kernel_was_told),
        cmocka_unit_test(test_a_child_sees_nothing), cmocka_unit_test(test_guard_pages),
        cmocka_unit_test(test_total_is_bounded),     cmocka_unit_test(test_locking_may_fail),
    };
    return cmocka_run_group_tests_name("secret_memory", tests, NULL, NULL);
}

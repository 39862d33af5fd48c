/*
 * Preloaded into the daemon, this says on SIGUSR2 how many bytes of the heap are in use: to the
 * byte, where what is resident also has what the C library keeps of freed blocks.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* It comes while the loop waits, so that it interrupts no malloc().
 * NOLINTBEGIN(bugprone-signal-handler,cert-sig30-c) */
static void on_signal(int number)
{
    struct mallinfo2 heap = mallinfo2();
    char said[64];
    int len = snprintf(said, sizeof said, "heap: %zu\n", heap.uordblks + heap.hblkhd);
    if (write(STDERR_FILENO, said, (size_t)len) != len)
        _exit(1);
}
/* NOLINTEND(bugprone-signal-handler,cert-sig30-c) */

static void __attribute__((constructor)) enter(void)
{
    signal(SIGUSR2, on_signal);
}

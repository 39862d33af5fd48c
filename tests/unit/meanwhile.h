/*
 * For tests: a file that changes at the one moment that matters, after its size was asked for and
 * before its first byte is read.
 *
 * Each test program that includes this has one such change under way at most; `meanwhile.times`
 * counts those that are still to come.
 */
#ifndef SPARKBRIDGE_TESTS_MEANWHILE_H
#define SPARKBRIDGE_TESTS_MEANWHILE_H

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    const char *path;
    void (*change)(const char *path);
    int times;
} meanwhile;

/* Takes the place of libc's read() for the whole program. Under another name here, since the header
 * may define an inline read(). */
ssize_t read_meanwhile(int fd, void *buffer, size_t size) __asm__("read");

ssize_t read_meanwhile(int fd, void *buffer, size_t size)
{
    if (meanwhile.times > 0 && lseek(fd, 0, SEEK_CUR) == 0) {
        meanwhile.times--;
        meanwhile.change(meanwhile.path);
    }
    return syscall(SYS_read, fd, buffer, size);
}

#endif

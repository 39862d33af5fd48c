/* What no proxy can go below on this machine, a line "NAME VALUE" each:
 *
 *   floor CIPHER [BYTES TURNS]
 *
 * CIPHER is OpenSSL's name of the cipher of the TLS records, AES-256-GCM say. Work goes over
 * loopback TCP; processor time is that of the one process that does the work. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    BLOCK_BYTES = 64 * 1024,
    RECORD_BYTES = 16 * 1024, /* of TLS */
    RECORD_HEADER_BYTES = 5,
    TAG_BYTES = 16,
    MESSAGE_BYTES = 150, /* about a small call's frames */
};

static unsigned char block[BLOCK_BYTES];

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static double clock_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double processor_s(void)
{
    return clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

static void report(const char *name, double value)
{
    printf("%s %.6g\n", name, value);
    fflush(stdout);
}

/* Two ends of one TCP connection over loopback. */
static void make_pair(int ends[2])
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, len) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0 ||
        connect(ends[0], (struct sockaddr *)&address, len) != 0)
        die("a pair of sockets");
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
    for (int i = 0; i < 2; i++)
        setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* In the child: true. The parent keeps the first end, the child the second. */
static bool fork_with_pair(int *ret_end)
{
    int ends[2];
    make_pair(ends);
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    close(ends[pid == 0 ? 0 : 1]);
    *ret_end = ends[pid == 0 ? 1 : 0];
    return pid == 0;
}

static void write_all(int fd, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, block + done, len - done);
        if (n <= 0)
            die("write");
        done += (size_t)n;
    }
}

static void measure_bytes(long total)
{
    int end;
    if (fork_with_pair(&end)) {
        double before = processor_s();
        long received = 0;
        for (ssize_t n; (n = read(end, block, sizeof block)) > 0;)
            received += n;
        report("receive_s_a_gb", (processor_s() - before) / ((double)received / 1e9));
        exit(EXIT_SUCCESS);
    }
    double before = processor_s();
    for (long left = total; left > 0; left -= BLOCK_BYTES)
        write_all(end, BLOCK_BYTES);
    double took = processor_s() - before;
    close(end);
    wait(NULL);
    report("send_s_a_gb", took / ((double)total / 1e9));
}

/* What a loop does that sleeps until a message comes and sends one. */
static void measure_sleeping_turns(long turns)
{
    int end;
    if (fork_with_pair(&end)) {
        int epoll = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN};
        epoll_ctl(epoll, EPOLL_CTL_ADD, end, &event);
        double before = processor_s();
        for (;;) {
            epoll_wait(epoll, &event, 1, -1);
            ssize_t n = read(end, block, sizeof block);
            if (n <= 0)
                break;
            write_all(end, (size_t)n);
        }
        report("sleeping_turn_us", (processor_s() - before) / (double)turns * 1e6);
        exit(EXIT_SUCCESS);
    }
    double started = clock_s(CLOCK_MONOTONIC);
    for (long i = 0; i < turns; i++) {
        write_all(end, MESSAGE_BYTES);
        if (read(end, block, sizeof block) <= 0)
            die("read");
    }
    double took = clock_s(CLOCK_MONOTONIC) - started;
    close(end);
    wait(NULL);
    report("sleeping_round_trip_us", took / (double)turns * 1e6);
}

static void measure_messages(long count)
{
    int ends[2];
    make_pair(ends);
    double before = processor_s();
    for (long i = 0; i < count; i++) {
        write_all(ends[0], MESSAGE_BYTES);
        if (read(ends[1], block, sizeof block) != MESSAGE_BYTES)
            die("read");
    }
    report("message_us", (processor_s() - before) / (double)count * 1e6);
    close(ends[0]);
    close(ends[1]);
}

/* One record as TLS has it: a nonce, a header that is authenticated, the content, a tag. */
static void pass_record(EVP_CIPHER_CTX *context, unsigned char *out, unsigned char *tag)
{
    static const unsigned char header[RECORD_HEADER_BYTES], nonce[12];
    bool is_encrypting = EVP_CIPHER_CTX_is_encrypting(context) == 1;
    int len;
    EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, -1);
    EVP_CipherUpdate(context, NULL, &len, header, sizeof header);
    EVP_CipherUpdate(context, out, &len, is_encrypting ? block : out, RECORD_BYTES);
    if (!is_encrypting)
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag);
    EVP_CipherFinal_ex(context, out + RECORD_BYTES, &len);
    if (is_encrypting)
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag);
}

static void measure_cipher(const char *name, long total)
{
    static const unsigned char key[32];
    static unsigned char out[RECORD_BYTES + TAG_BYTES], tag[TAG_BYTES];
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    if (cipher == NULL) {
        fprintf(stderr, "OpenSSL has no cipher %s\n", name);
        exit(EXIT_FAILURE);
    }
    for (int is_encrypting = 1; is_encrypting >= 0; is_encrypting--) {
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        EVP_CipherInit_ex(context, cipher, NULL, key, NULL, is_encrypting);
        double before = processor_s();
        for (long left = total; left > 0; left -= RECORD_BYTES)
            pass_record(context, out, tag);
        report(is_encrypting ? "encrypt_s_a_gb" : "decrypt_s_a_gb",
               (processor_s() - before) / ((double)total / 1e9));
        EVP_CIPHER_CTX_free(context);
    }
    EVP_CIPHER_free(cipher);
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 4) {
        fprintf(stderr, "usage: %s CIPHER [BYTES TURNS]\n", argv[0]);
        return EXIT_FAILURE;
    }
    long bytes = argc == 4 ? strtol(argv[2], NULL, 10) : 1L << 30;
    long turns = argc == 4 ? strtol(argv[3], NULL, 10) : 20000;
    measure_bytes(bytes);
    measure_cipher(argv[1], bytes);
    measure_sleeping_turns(turns);
    measure_messages(turns);
    return EXIT_SUCCESS;
}

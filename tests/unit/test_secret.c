/* A secret: copied, moved, wiped, compared, and shown as a fingerprint only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/secret.h"

static void test_set_copies_all_bytes_and_ends_them_with_nul(void **state)
{
    char source[] = {'a', '\0', 'b'};
    struct secret secret = {0};
    secret_set(&secret, source, sizeof source);
    source[0] = 'x';
    assert_true(secret_is_set(&secret));
    assert_int_equal(secret.len, 3);
    assert_memory_equal(secret.bytes, "a\0b", 4);
    secret_finish(&secret);
}

static void test_set_from_a_part_of_itself(void **state)
{
    struct secret secret = {0};
    secret_set(&secret, "Bearer abc", 10);
    secret_set(&secret, secret.bytes + 7, 3);
    assert_string_equal(secret.bytes, "abc");
    assert_int_equal(secret.len, 3);
    secret_finish(&secret);
}

static void test_set_prefixed(void **state)
{
    struct secret token = {0}, header = {0};
    secret_set(&token, "abc", 3);
    secret_set_prefixed(&header, "Bearer ", &token);
    assert_string_equal(header.bytes, "Bearer abc");
    assert_int_equal(header.len, 10);
    /* Its own tail: the old bytes are read before they are wiped. */
    secret_set_prefixed(&header, "x", &header);
    assert_string_equal(header.bytes, "xBearer abc");
    secret_finish(&token);
    secret_finish(&header);
}

static void test_empty_is_not_unset(void **state)
{
    struct secret empty = {0}, unset = {0};
    secret_set(&empty, "", 0);
    assert_true(secret_is_set(&empty));
    assert_false(secret_is_set(&unset));
    assert_false(secret_equal(&empty, &unset));
    secret_finish(&empty);
    assert_false(secret_is_set(&empty));
}

static void test_move_leaves_nothing_behind(void **state)
{
    struct secret from = {0}, to = {0};
    secret_set(&from, "new", 3);
    secret_set(&to, "old", 3);
    secret_move(&to, &from);
    assert_string_equal(to.bytes, "new");
    assert_false(secret_is_set(&from));
    secret_move(&to, &to);
    assert_string_equal(to.bytes, "new");
    secret_finish(&to);
}

static void test_finish_twice_and_of_a_zeroed_struct(void **state)
{
    struct secret secret = {0};
    secret_finish(&secret);
    secret_set(&secret, "abc", 3);
    secret_finish(&secret);
    secret_finish(&secret);
    assert_null(secret.bytes);
    assert_int_equal(secret.len, 0);
}

static void test_equal_looks_at_every_byte_and_the_length(void **state)
{
    struct secret a = {0}, b = {0}, unset = {0};
    secret_set(&a, "abc", 3);
    secret_set(&b, "abc", 3);
    assert_true(secret_equal(&a, &b));
    secret_set(&b, "abd", 3);
    assert_false(secret_equal(&a, &b));
    secret_set(&b, "abcd", 4);
    assert_false(secret_equal(&a, &b));
    assert_false(secret_equal(&a, &unset));
    assert_true(secret_equal(&unset, &unset));
    assert_true(secret_matches(&a, a.bytes, a.len));
    assert_false(secret_matches(&a, a.bytes, a.len - 1));
    assert_false(secret_matches(&a, "", 0));
    assert_false(secret_matches(&unset, "", 0));
    secret_finish(&a);
    secret_finish(&b);
}

static void test_fingerprint_is_the_beginning_of_the_sha256(void **state)
{
    struct secret secret = {0};
    char text[SECRET_FINGERPRINT_SIZE];
    /* FIPS 180-2, B.1, and the digest of nothing. */
    secret_set(&secret, "abc", 3);
    secret_fingerprint(&secret, text);
    assert_string_equal(text, "ba7816bf8f01");
    secret_finish(&secret);
    secret_fingerprint(&secret, text);
    assert_string_equal(text, "e3b0c44298fc");
}

static void test_wipe_text_leaves_only_zeros(void **state)
{
    char text[] = "token=abc";
    static const char zeros[sizeof text];
    secret_wipe_text(text);
    assert_memory_equal(text, zeros, sizeof text);
    secret_wipe_text(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_copies_all_bytes_and_ends_them_with_nul),
        cmocka_unit_test(test_set_from_a_part_of_itself),
        cmocka_unit_test(test_set_prefixed),
        cmocka_unit_test(test_empty_is_not_unset),
        cmocka_unit_test(test_move_leaves_nothing_behind),
        cmocka_unit_test(test_finish_twice_and_of_a_zeroed_struct),
        cmocka_unit_test(test_equal_looks_at_every_byte_and_the_length),
        cmocka_unit_test(test_fingerprint_is_the_beginning_of_the_sha256),
        cmocka_unit_test(test_wipe_text_leaves_only_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

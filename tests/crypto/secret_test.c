/*
 * secret_test.c - secrets stay in their memory, and their process
 */
#include "crypto/secret.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "test_env.h"

static void secret_memory_is_zero_at_first(void **state)
{
    static const uint8_t zeros[100];
    (void)state;
    uint8_t *const secret = sat__secret_new(sizeof zeros);
    assert_non_null(secret);
    assert_memory_equal(secret, zeros, sizeof zeros);
    sat__secret_free(secret);
    sat__secret_free(NULL);
}

static void comparing_looks_at_every_byte(void **state)
{
    (void)state;
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    assert_true(sat__equal_secret(a, b, sizeof a));
    for (size_t i = 0; i < sizeof a; i++) {
        b[i] = 0x80;
        assert_false(sat__equal_secret(a, b, sizeof a));
        b[i] = 0;
    }
}

#if !TEST_IS_SANITIZED
/* What `child` does to a process of its own, as its exit status or signal. */
static int in_child(void (*child)(void))
{
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) {
        child();
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void write_behind_a_secret(void)
{
    volatile uint8_t *const secret = sat__secret_new(32);
    (void)signal(SIGSEGV, SIG_DFL);
    if (secret != NULL)
        secret[32] = 1;
}

static void a_write_behind_a_secret_ends_the_process(void **state)
{
    (void)state;
    const int status = in_child(write_behind_a_secret);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
}

static void harden_and_look(void)
{
    struct rlimit core;
    if (sat__process_harden(NULL) != SAT_OK)
        _exit(1);
    if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
        _exit(2);
    if (getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
        _exit(3);
}

static void a_hardened_process_leaves_no_core(void **state)
{
    (void)state;
    assert_int_equal(in_child(harden_and_look), 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secret_memory_is_zero_at_first),
        cmocka_unit_test(comparing_looks_at_every_byte),
#if !TEST_IS_SANITIZED
        cmocka_unit_test(a_write_behind_a_secret_ends_the_process),
        cmocka_unit_test(a_hardened_process_leaves_no_core),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * labels_test.c - the labels in the code are those in the document, each once
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"

static const char *const header = SAT_TEST_DATA "/../src/crypto/labels.h";
static const char *const document = SAT_TEST_DATA "/../docs/formats/keys.md";

static sat_buf content_of(const char *path)
{
    sat_buf text = SAT_BUF_INIT;
    FILE *const file = fopen(path, "r");
    int c;

    assert_non_null(file);
    while ((c = getc(file)) != EOF)
        sat__buf_put_byte(&text, (uint8_t)c);
    (void)fclose(file);
    return text;
}

/* How often `text` says `word` between two of `quote`. */
static size_t count_quoted(sat_buf *text, char quote, const char *word)
{
    char quoted[128];
    size_t count = 0;

    (void)snprintf(quoted, sizeof quoted, "%c%s%c", quote, word, quote);
    const char *at = sat__buf_text(text);
    while ((at = strstr(at, quoted)) != NULL) {
        at += strlen(quoted);
        count++;
    }
    return count;
}

/* Calls back for what stands behind `before`, up to `end`, wherever it does. */
static size_t each_behind(sat_buf *text, const char *before, char end,
                          void (*each)(const char *word))
{
    size_t count = 0;
    const char *at = sat__buf_text(text);

    while ((at = strstr(at, before)) != NULL) {
        char word[128];
        at += strlen(before);
        const size_t len = (size_t)(strchr(at, end) - at);
        assert_true(len < sizeof word);
        (void)snprintf(word, sizeof word, "%.*s", (int)len, at);
        each(word);
        count++;
    }
    return count;
}

static void expect_in_document(const char *definition)
{
    AUTO(sat_buf) text = content_of(document);
    const char *const word = strchr(definition, '"') + 1;
    char label[128];

    (void)snprintf(label, sizeof label, "%.*s", (int)strcspn(word, "\""), word);
    assert_true(count_quoted(&text, '`', label) > 0);
}

static void every_label_is_documented(void **state)
{
    (void)state;
    AUTO(sat_buf) text = content_of(header);
    assert_true(each_behind(&text, "#define SAT_LABEL_", '\n',
                            expect_in_document) > 10);
    assert_true(each_behind(&text, "#define SAT_PURPOSE_", '\n',
                            expect_in_document) > 0);
}

static void expect_once_in_header(const char *label)
{
    AUTO(sat_buf) text = content_of(header);
    assert_int_equal(count_quoted(&text, '"', label), 1);
}

static void every_documented_label_exists_once(void **state)
{
    (void)state;
    AUTO(sat_buf) text = content_of(document);
    assert_true(each_behind(&text, "\n| `", '`', expect_once_in_header) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_label_is_documented),
        cmocka_unit_test(every_documented_label_exists_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

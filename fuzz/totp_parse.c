/*
 * totp_parse.c - an otpauth address that parses, is written as one that parses
 * to the same
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "settings/otpauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = strndup((const char *)data, size);
    AUTO(sat__otpauth) entry = {.secret_size = 0};
    AUTO(sat__otpauth) again = {.secret_size = 0};
    char uri[SAT_MFA_URI_SIZE];

    if (text == NULL || sat__otpauth_parse(text, &entry, NULL) != SAT_OK)
        return 0;
    if (sat__otpauth_format(&entry, uri, NULL) != SAT_OK ||
        sat__otpauth_parse(uri, &again, NULL) != SAT_OK ||
        again.secret_size != entry.secret_size ||
        memcmp(again.secret, entry.secret, entry.secret_size) != 0 ||
        strcmp(again.issuer, entry.issuer) != 0 ||
        strcmp(again.account, entry.account) != 0 || again.hash != entry.hash ||
        again.digits != entry.digits || again.period != entry.period)
        abort();
    return 0;
}

/*
 * signature_parse.c - what parses makes a base that ends with what was signed
 *
 * The input is Signature-Input, a NUL, and Signature.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "net/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sat_buf) text = SAT_BUF_INIT, base = SAT_BUF_INIT;
    AUTO(sat__request) request = {0};
    sat__signature signature;
    const uint8_t *const middle = size > 0 ? memchr(data, 0, size) : NULL;

    if (middle == NULL)
        return 0;
    sat__buf_put(&text, data, size);
    const char *const input = sat__buf_text(&text);
    if (sat__signature_parse(input, input + (middle - data) + 1, &signature,
                             NULL) != SAT_OK)
        return 0;
    sat__request_set(&request, "POST", "/path?query");
    sat__headers_put(&request.headers, "Host", "localhost");
    sat__headers_put(&request.headers, "Content-Type", "text/plain");
    if (sat__signature_base(&signature, &request, NULL, &base, NULL) != SAT_OK)
        return 0;
    if (base.len < signature.params.len ||
        memcmp(base.data + base.len - signature.params.len,
               signature.params.data, signature.params.len) != 0)
        abort();
    return 0;
}

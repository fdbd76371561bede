/*
 * manifest_decode.c - the parts of a backup's manifest, as somebody who can
 * sign and seal might send them
 *
 * The first byte chooses the whole, the part in the open, or the sealed one.
 */
#include <stdlib.h>

#include "backup/manifest.h"
#include "fuzz.h"

static void check(const sat__manifest *manifest)
{
    if (manifest->base > manifest->pack_count ||
        manifest->pack_count > SAT_BACKUP_PACKS_MAX)
        abort();
    for (size_t i = 0; i < manifest->vault_count; i++)
        if (sat__manifest_vault(manifest, manifest->vaults[i].name) !=
            &manifest->vaults[i])
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(sat__manifest) manifest = SAT_MANIFEST_INIT;
    sat_status st;
    if (size == 0)
        return 0;
    const sat_bytes rest = bytes_of(data + 1, size - 1);
    if (data[0] % 3 == 0)
        st = sat__manifest_decode(rest, &manifest, NULL);
    else if (data[0] % 3 == 1)
        st = sat__manifest_read_open(rest, &manifest, NULL);
    else
        st = sat__manifest_read_sealed(&manifest, bytes_of("", 0), rest, NULL);
    if (st == SAT_OK)
        check(&manifest);
    return 0;
}

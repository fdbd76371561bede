/*
 * coverage.c - whether every page of every vault came
 */
#include "backup/coverage.h"

#include "base/error.h"

sat_status sat__coverage_init(sat__coverage *coverage,
                              const sat__manifest *manifest, sat_error *err)
{
    coverage->manifest = manifest;
    coverage->seen = calloc(manifest->vault_count + 1, sizeof *coverage->seen);
    bool is_short = coverage->seen == NULL;
    for (size_t i = 0; i < manifest->vault_count && !is_short; i++) {
        coverage->seen[i] = calloc(manifest->vaults[i].pages / 8 + 1, 1);
        is_short = coverage->seen[i] == NULL;
    }
    if (is_short)
        return sat__fail(err, SAT_ERR_NOMEM, "no memory to read a backup");
    return SAT_OK;
}

void sat__coverage_clear(sat__coverage *coverage)
{
    for (size_t i = 0;
         coverage->seen != NULL && i < coverage->manifest->vault_count; i++)
        free(coverage->seen[i]);
    free(coverage->seen);
    coverage->seen = NULL;
}

void sat__coverage_note(sat__coverage *coverage, const char *vault,
                        uint32_t first, uint32_t count)
{
    const sat__manifest *const manifest = coverage->manifest;
    const sat__backup_vault *const found = sat__manifest_vault(manifest, vault);
    if (found == NULL)
        return;
    uint8_t *const seen = coverage->seen[found - manifest->vaults];
    for (uint32_t i = 0; i < count && first + i <= found->pages; i++)
        seen[(first + i) / 8] |= (uint8_t)(1 << (first + i) % 8);
}

sat_status sat__coverage_check(const sat__coverage *coverage, sat_error *err)
{
    for (size_t i = 0; i < coverage->manifest->vault_count; i++) {
        const sat__backup_vault *const vault = &coverage->manifest->vaults[i];
        for (uint32_t page = 1; page <= vault->pages; page++)
            if ((coverage->seen[i][page / 8] >> page % 8 & 1) == 0)
                return sat__fail(err, SAT_ERR_CORRUPT,
                                 "page %u of the vault '%s' is missing", page,
                                 vault->name);
    }
    return SAT_OK;
}

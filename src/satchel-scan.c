/*
 * satchel-scan - reads a PNG image from stdin and writes what the QR code in it
 * says to stdout, byte for byte
 *
 * Before it looks at the image it gives up everything that it does not need: it
 * may read and write what it has open, take memory, and end. Whoever breaks in
 * through an image finds nothing here, and no way out.
 *
 * Exit: 0 done; 1 failed; 3 there is no code; 4 there are several; 5 this is
 * not an image.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <png.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zbar.h>

#define IMAGE_MAX ((size_t)32 << 20)
#define PIXELS_MAX ((size_t)64 << 20)
#define MEMORY_MAX ((rlim_t)1 << 30)
#define SECONDS_MAX 20

enum { DONE = 0, FAILED = 1, NO_CODE = 3, SEVERAL = 4, NO_IMAGE = 5 };

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

/* ---- giving up what is not needed ---- */

static int limit(void)
{
    const struct {
        int what;
        rlim_t most;
    } limits[] = {{RLIMIT_AS, MEMORY_MAX},
                  {RLIMIT_CPU, SECONDS_MAX},
                  {RLIMIT_CORE, 0},
                  {RLIMIT_FSIZE, 0},
                  {RLIMIT_NOFILE, 3}};

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const struct rlimit r = {limits[i].most, limits[i].most};
        if (setrlimit((__rlimit_resource_t)limits[i].what, &r) != 0)
            return -1;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

#if defined(OUR_ARCH)

#define LOAD(field)                                                            \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW(call)                                                            \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                     \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int confine(void)
{
    struct sock_filter filter[] = {
        LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), LOAD(nr),
        ALLOW(read), ALLOW(write), ALLOW(brk), ALLOW(mmap), ALLOW(munmap),
        ALLOW(mremap), ALLOW(madvise), ALLOW(futex), ALLOW(getrandom),
        ALLOW(clock_gettime), ALLOW(gettimeofday), ALLOW(rt_sigreturn),
        ALLOW(exit), ALLOW(exit_group),
        /* Whatever else is asked for fails, as on a system without it. */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)};
    const struct sock_fprog program = {sizeof filter / sizeof filter[0],
                                       filter};

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

#else

static int confine(void)
{
    return 0; /* the limits hold; the filter is written for two processors */
}

#endif

/* ---- the image ---- */

static uint8_t *read_all(size_t *len)
{
    uint8_t *const data = malloc(IMAGE_MAX + 1);
    ssize_t got;

    *len = 0;
    while (data != NULL &&
           (got = read(STDIN_FILENO, data + *len, IMAGE_MAX + 1 - *len)) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        *len += got > 0 ? (size_t)got : 0;
        if (*len > IMAGE_MAX)
            break;
    }
    return data;
}

/* The image in shades of grey, on white; NULL where it is none. */
static uint8_t *decode(const uint8_t *data, size_t len, unsigned *width,
                       unsigned *height)
{
    const png_color white = {255, 255, 255};
    png_image image = {.version = PNG_IMAGE_VERSION};

    if (!png_image_begin_read_from_memory(&image, data, len))
        return NULL;
    image.format = PNG_FORMAT_GRAY;
    *width = image.width;
    *height = image.height;
    uint8_t *const pixels =
        (size_t)image.width <= PIXELS_MAX / (image.height + 1)
            ? malloc(PNG_IMAGE_SIZE(image))
            : NULL;
    if (pixels != NULL &&
        png_image_finish_read(&image, &white, pixels, 0, NULL))
        return pixels;
    free(pixels);
    return NULL;
}

/* ---- the code ---- */

static int put(const char *data, size_t len)
{
    while (len > 0) {
        const ssize_t sent = write(STDOUT_FILENO, data, len);
        if (sent < 0 && errno != EINTR)
            return FAILED;
        data += sent > 0 ? sent : 0;
        len -= sent > 0 ? (size_t)sent : 0;
    }
    return DONE;
}

/* What all codes of the image say, if they say the same. */
static int answer(const zbar_image_t *image)
{
    const zbar_symbol_t *const first = zbar_image_first_symbol(image);

    if (first == NULL)
        return NO_CODE;
    const char *const data = zbar_symbol_get_data(first);
    const unsigned len = zbar_symbol_get_data_length(first);
    for (const zbar_symbol_t *other = zbar_symbol_next(first); other != NULL;
         other = zbar_symbol_next(other))
        if (zbar_symbol_get_data_length(other) != len ||
            memcmp(zbar_symbol_get_data(other), data, len) != 0)
            return SEVERAL;
    return put(data, len);
}

static int scan(uint8_t *pixels, unsigned width, unsigned height)
{
    zbar_image_scanner_t *const scanner = zbar_image_scanner_create();
    zbar_image_t *const image = zbar_image_create();

    if (scanner == NULL || image == NULL)
        return FAILED;
    (void)zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
    (void)zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_ENABLE,
                                        1);
    (void)zbar_image_scanner_set_config(scanner, ZBAR_QRCODE, ZBAR_CFG_BINARY,
                                        1);
    zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
    zbar_image_set_size(image, width, height);
    zbar_image_set_data(image, pixels, (size_t)width * height, NULL);
    return zbar_scan_image(scanner, image) < 0 ? FAILED : answer(image);
}

int main(void)
{
    unsigned width, height;
    size_t len;

    if (limit() != 0 || confine() != 0)
        return FAILED;
    uint8_t *const data = read_all(&len);
    if (data == NULL)
        return FAILED;
    uint8_t *const pixels =
        len <= IMAGE_MAX ? decode(data, len, &width, &height) : NULL;
    _exit(pixels != NULL ? scan(pixels, width, height) : NO_IMAGE);
}

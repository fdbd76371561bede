/* The devices of the tests of sync. */
#include "../sync/device.c"

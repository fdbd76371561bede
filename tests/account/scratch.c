/* The scratch folders of the tests of the store. */
#include "../store/scratch.c"

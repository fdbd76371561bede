/*
 * satchel-hub.c - the hub's entry
 */
#include "hub/program.h"

int main(int argc, char **argv)
{
    return hub_main(argc, argv);
}

// Debian installs the header in a folder that only pkg-config knows; without pkg-config it is found here.
#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif

# What is linked from outside, each from a package that packages.txt names.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
foreach(pair SQLCIPHER:sqlcipher CRYPTO:libcrypto SSL:libssl SODIUM:libsodium
        UTF8PROC:libutf8proc UV:libuv ZSTD:libzstd ZIP:libzip JANSSON:jansson
        KEYUTILS:libkeyutils EDIT:libedit INIH:inih PQ:libpq NATS:libnats ZBAR:zbar
        SECP256K1:libsecp256k1
        PNG:libpng QRENCODE:libqrencode)
    string(REPLACE ":" ";" pair "${pair}")
    list(GET pair 0 name)
    list(GET pair 1 module)
    pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
endforeach()
pkg_check_modules(SECRET REQUIRED libsecret-1) # its headers; never linked
find_library(HTTP_PARSER http_parser REQUIRED)
if(SAT_TESTS)
    find_library(CMOCKA cmocka REQUIRED)
endif()

# The vocabulary of CMakeLists.txt: modules, libraries, tests, fuzz targets.

# Compile as everything in this tree is compiled.
function(sat_compile target)
    target_compile_features(${target} PUBLIC c_std_17)
    set_target_properties(${target} PROPERTIES
        C_EXTENSIONS OFF C_VISIBILITY_PRESET hidden
        POSITION_INDEPENDENT_CODE ON)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    target_compile_options(${target} PRIVATE
        -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
        -Wmissing-prototypes -Wvla -Wformat=2 -Wimplicit-fallthrough
        $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond>
        -fstack-protector-strong)
    target_include_directories(${target}
        PUBLIC "${PROJECT_SOURCE_DIR}/include"
        PRIVATE "${PROJECT_SOURCE_DIR}/src")
    if(SAT_SANITIZE)
        target_compile_options(${target} PRIVATE -fno-omit-frame-pointer
            -fsanitize=${SAT_SANITIZE} -fno-sanitize-recover=all)
        target_link_options(${target} PUBLIC -fsanitize=${SAT_SANITIZE})
    endif()
    if(SAT_FUZZ)
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
    if(SAT_COVERAGE)
        target_compile_options(${target} PRIVATE --coverage
            -fprofile-update=atomic)
        target_link_options(${target} PUBLIC --coverage)
    endif()
endfunction()

# sat_module(NAME [DEPENDS target...]): every source of src/NAME, as objects.
# A module that has no source yet is passed over.
function(sat_module name)
    cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS "src/${name}/*.c" "src/${name}/*/*.c")
    if(NOT sources)
        add_library(sat_${name} INTERFACE)
        target_link_libraries(sat_${name} INTERFACE ${ARG_DEPENDS})
        return()
    endif()
    add_library(sat_${name} OBJECT ${sources})
    sat_compile(sat_${name})
    target_link_libraries(sat_${name} PUBLIC ${ARG_DEPENDS})
endfunction()

# sat_embed(TARGET FOLDER): the files of FOLDER become part of TARGET.
function(sat_embed target folder)
    file(GLOB files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*")
    set(output "${PROJECT_BINARY_DIR}/${target}_files.c")
    add_custom_command(OUTPUT "${output}"
        COMMAND ${CMAKE_COMMAND} "-DFILES=${files}" -DOUTPUT=${output}
            -P "${PROJECT_SOURCE_DIR}/cmake/Embed.cmake"
        DEPENDS ${files} "${PROJECT_SOURCE_DIR}/cmake/Embed.cmake" VERBATIM)
    target_sources(${target} PRIVATE "${output}")
endfunction()

# sat_library(NAME MODULES name... ABI map): the shared library, exporting
# exactly the symbols in `map`, and NAME_static with all of them for the tests.
function(sat_library name)
    cmake_parse_arguments(ARG "" "ABI" "MODULES" ${ARGN})
    list(TRANSFORM ARG_MODULES PREPEND "sat_")
    add_library(${name} SHARED)
    add_library(${name}_static STATIC)
    target_link_libraries(${name} PUBLIC ${ARG_MODULES})
    target_link_libraries(${name}_static PUBLIC ${ARG_MODULES})
    target_link_options(${name} PRIVATE "LINKER:--version-script=${ARG_ABI}"
        "LINKER:--no-undefined-version")
    set_target_properties(${name} PROPERTIES LINK_DEPENDS "${ARG_ABI}"
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
endfunction()

# sat_program(TARGET NAME name MODULES name...): a program over the library.
function(sat_program target)
    cmake_parse_arguments(ARG "" "NAME" "MODULES" ${ARGN})
    list(TRANSFORM ARG_MODULES PREPEND "sat_")
    file(GLOB main CONFIGURE_DEPENDS "src/${ARG_NAME}.c")
    if(NOT main)
        return()
    endif()
    add_executable(${target} ${main})
    sat_compile(${target})
    target_link_libraries(${target} PRIVATE ${ARG_MODULES} satchel_static)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${ARG_NAME})
endfunction()

# sat_helper(TARGET NAME name DEPENDS target...): a program of one file,
# src/NAME.c, that uses nothing of the library. Its sandbox leaves no room for
# what a sanitizer needs.
function(sat_helper target)
    cmake_parse_arguments(ARG "" "NAME" "DEPENDS" ${ARGN})
    set(SAT_SANITIZE "")
    set(SAT_FUZZ OFF)
    add_executable(${target} "src/${ARG_NAME}.c")
    sat_compile(${target})
    target_link_libraries(${target} PRIVATE ${ARG_DEPENDS})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${ARG_NAME})
endfunction()

# sat_server(TARGET NAME name MODULES name...): a program of these modules and
# nothing else; what it does not name is not in it.
function(sat_server target)
    cmake_parse_arguments(ARG "" "NAME" "MODULES" ${ARGN})
    list(TRANSFORM ARG_MODULES PREPEND "sat_")
    add_executable(${target} "src/${ARG_NAME}.c")
    sat_compile(${target})
    target_link_libraries(${target} PRIVATE ${ARG_MODULES})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${ARG_NAME})
endfunction()

# sat_extension(TARGET NAME name MODULES name... SOURCES file... DEPENDS
# target... ABI map): a loadable SQLite extension, NAME.so: the modules, and the
# single files of others, compiled once more against the SQLite of whatever
# program loads it, entered in src/NAME_extension.c.
function(sat_extension target)
    cmake_parse_arguments(ARG "" "NAME;ABI" "MODULES;SOURCES;DEPENDS" ${ARGN})
    list(TRANSFORM ARG_SOURCES PREPEND "src/")
    list(TRANSFORM ARG_MODULES PREPEND "src/")
    list(TRANSFORM ARG_MODULES APPEND "/*.c")
    file(GLOB sources CONFIGURE_DEPENDS ${ARG_MODULES})
    add_library(${target} MODULE ${sources} ${ARG_SOURCES}
        "src/${ARG_NAME}_extension.c")
    sat_compile(${target})
    target_compile_definitions(${target} PRIVATE SAT_EXTENSION)
    target_compile_options(${target} PRIVATE -ffunction-sections -fdata-sections)
    target_link_libraries(${target} PRIVATE ${ARG_DEPENDS})
    target_link_options(${target} PRIVATE LINKER:--gc-sections
        "LINKER:--version-script=${ARG_ABI}")
    # Clang's sanitizers are linked into the program alone.
    if(NOT SAT_SANITIZE OR CMAKE_C_COMPILER_ID STREQUAL GNU)
        target_link_options(${target} PRIVATE LINKER:--no-undefined)
    endif()
    set_target_properties(${target} PROPERTIES PREFIX ""
        OUTPUT_NAME ${ARG_NAME} LINK_DEPENDS "${ARG_ABI}")
endfunction()

# sat_tests(): every tests/MODULE/NAME_test.c is a test, run as "MODULE/NAME".
# Other sources in tests/MODULE are linked into each test of that folder.
function(sat_tests)
    file(GLOB tests RELATIVE "${PROJECT_SOURCE_DIR}/tests" CONFIGURE_DEPENDS
        "tests/*/*_test.c")
    foreach(source IN LISTS tests)
        string(REGEX REPLACE "_test\\.c$" "" path "${source}")
        get_filename_component(folder "${source}" DIRECTORY)
        file(GLOB helpers CONFIGURE_DEPENDS "tests/${folder}/*.c")
        if(folder STREQUAL "backup")
            list(APPEND helpers tests/store/profile_fixture.c
                tests/store/scratch.c)
        elseif(folder STREQUAL "net")
            list(APPEND helpers tests/crypto/vectors.c)
        endif()
        if(folder STREQUAL "sim") # the rest needs an engine with plants
            list(FILTER helpers INCLUDE REGEX "/(count|disk|file|vfs)\\.c$")
        endif()
        list(FILTER helpers EXCLUDE REGEX "_test\\.c$")
        string(REPLACE "/" "_" target "test_${path}")
        add_executable(${target} "tests/${source}" ${helpers})
        sat_compile(${target})
        target_include_directories(${target} PRIVATE tests)
        target_compile_definitions(${target} PRIVATE
            SAT_TEST_DATA="${PROJECT_SOURCE_DIR}/tests"
            SAT_BUILD_DIR="${PROJECT_BINARY_DIR}")
        if(folder STREQUAL "hub")
            target_link_libraries(${target} PRIVATE sat_hub)
            add_dependencies(${target} satchel_hub)
        endif()
        target_link_libraries(${target} PRIVATE satchel_static ${CMOCKA})
        add_test(NAME ${path} COMMAND ${target})
    endforeach()
endfunction()

# Every public header compiles on its own, as C and under the strictest flags.
function(sat_header_test)
    file(GLOB headers RELATIVE "${PROJECT_SOURCE_DIR}/include"
        CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/satchel/*.h")
    foreach(header IN LISTS headers)
        string(MAKE_C_IDENTIFIER "${header}" id)
        set(unit "${PROJECT_BINARY_DIR}/headers/${id}.c")
        file(CONFIGURE OUTPUT "${unit}"
            CONTENT "#include \"${header}\"\nextern int ${id};\n")
        list(APPEND units "${unit}")
    endforeach()
    add_library(sat_headers OBJECT ${units})
    target_include_directories(sat_headers PRIVATE include)
    target_compile_options(sat_headers PRIVATE -std=c99 -Wall -Wextra
        -Wpedantic -Wc++-compat -Werror)
endfunction()

# sat_valgrind(PATH): the test PATH once more, under valgrind, which makes an
# error of every decision on memory that the test marked as undefined.
function(sat_valgrind path)
    find_program(VALGRIND valgrind)
    if(NOT VALGRIND OR SAT_SANITIZE)
        return()
    endif()
    string(REPLACE "/" "_" target "test_${path}")
    add_test(NAME ${path}_valgrind
        COMMAND ${VALGRIND} --quiet --error-exitcode=1 $<TARGET_FILE:${target}>)
endfunction()

# sat_fuzz_targets(): every source of fuzz/ but the replay is a target.
function(sat_fuzz_targets)
    file(GLOB sources CONFIGURE_DEPENDS "fuzz/*.c")
    list(FILTER sources EXCLUDE REGEX "/replay\\.c$")
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        sat_fuzz(${name})
    endforeach()
endfunction()

# sat_fuzz(NAME): fuzz/NAME.c. With libFuzzer it explores; everywhere else it
# replays fuzz/corpus/NAME and fuzz/regressions/NAME as an ordinary test.
function(sat_fuzz name)
    add_executable(fuzz_${name} "fuzz/${name}.c")
    sat_compile(fuzz_${name})
    if(name STREQUAL "word_decode") # of the hub, which the library is without
        target_link_libraries(fuzz_${name} PRIVATE sat_hub)
    endif()
    target_link_libraries(fuzz_${name} PRIVATE satchel_static)
    if(SAT_FUZZ)
        target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
        set(arguments -runs=0)
    else()
        target_sources(fuzz_${name} PRIVATE fuzz/replay.c)
    endif()
    file(GLOB inputs CONFIGURE_DEPENDS "fuzz/corpus/${name}/*"
        "fuzz/regressions/${name}/*")
    add_test(NAME fuzz/${name} COMMAND fuzz_${name} ${arguments} ${inputs})
endfunction()

# sat_simulation(MODULES name... SOURCES file... DEPENDS target...): satchel-simulate, with an
# engine of its own in which planted bugs can be chosen: the modules compiled
# once more, optimised in every preset, since it runs for long.
function(sat_simulation)
    cmake_parse_arguments(ARG "" "" "MODULES;SOURCES;DEPENDS" ${ARGN})
    list(TRANSFORM ARG_MODULES PREPEND "src/")
    list(TRANSFORM ARG_MODULES APPEND "/*.c")
    file(GLOB sources CONFIGURE_DEPENDS "tests/sim/*.c" ${ARG_MODULES})
    list(APPEND sources ${ARG_SOURCES})
    list(FILTER sources EXCLUDE REGEX "_test\\.c$")
    add_executable(satchel_simulate tests/simulate.c ${sources})
    sat_compile(satchel_simulate)
    set_target_properties(satchel_simulate PROPERTIES
        OUTPUT_NAME satchel-simulate)
    target_compile_options(satchel_simulate PRIVATE -O2
        $<$<C_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    target_compile_definitions(satchel_simulate PRIVATE SAT_PLANTS
        SAT_LIBEXEC="${CMAKE_INSTALL_FULL_LIBEXECDIR}")
    target_include_directories(satchel_simulate PRIVATE tests)
    target_include_directories(satchel_simulate SYSTEM PRIVATE
        ${SECRET_INCLUDE_DIRS})
    target_link_libraries(satchel_simulate PRIVATE ${ARG_DEPENDS})
    set(last 2000)
    if(SAT_SANITIZE)
        set(last 200)
    endif()
    add_test(NAME simulate COMMAND satchel_simulate 1-${last})
    foreach(bug RANGE 1 29)
        add_test(NAME simulate/planted-${bug}
            COMMAND satchel_simulate -x -p ${bug} 1-2000)
    endforeach()
endfunction()

# What must hold of the tree and of everything that was built.
function(sat_checks)
    foreach(check layers abi)
        add_test(NAME check/${check}
            COMMAND "${PROJECT_SOURCE_DIR}/scripts/${check}")
    endforeach()
    add_test(NAME check/linked COMMAND "${PROJECT_SOURCE_DIR}/scripts/linked"
        "${PROJECT_BINARY_DIR}")
endfunction()

# sat_benches(): every source of bench/ but bench.c and desk.c is a benchmark, which
# bench/run runs.
function(sat_benches)
    file(GLOB sources CONFIGURE_DEPENDS "bench/*.c")
    list(FILTER sources EXCLUDE REGEX "/(bench|desk)\\.c$")
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        add_executable(bench_${name} "${source}" bench/bench.c
            bench/desk.c)
        sat_compile(bench_${name})
        target_compile_definitions(bench_${name} PRIVATE
            SAT_BUILD_DIR="${PROJECT_BINARY_DIR}")
        if(name MATCHES "^(hub|nodes)$") # asks as the people of its tests do
            find_library(CMOCKA cmocka REQUIRED)
            target_sources(bench_${name} PRIVATE tests/hub/town.c
                tests/hub/postgres.c tests/hub/record.c tests/hub/s3.c)
            target_compile_definitions(bench_${name} PRIVATE
                SAT_TEST_DATA="${PROJECT_SOURCE_DIR}/tests")
            target_include_directories(bench_${name} PRIVATE tests)
            target_link_libraries(bench_${name} PRIVATE sat_hub ${CMOCKA})
        endif()
        if(name STREQUAL "nodes")
            target_sources(bench_nodes PRIVATE tests/hub/nodes.c
                tests/hub/nats.c)
            add_dependencies(bench_nodes satchel_hub)
        endif()
        target_link_libraries(bench_${name} PRIVATE satchel_static)
    endforeach()
endfunction()

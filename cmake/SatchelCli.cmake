# What is made from the command table, and the tests that run the program.

# sat_cli_documents(TARGET): the manual page and the shells' completions, printed
# by the program itself, so that they say what it does.
function(sat_cli_documents target)
    set(folder "${PROJECT_BINARY_DIR}/share")
    set(page "${folder}/man/man1/satchel.1")
    set(outputs "${page}")
    add_custom_command(OUTPUT "${page}"
        COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${target}>
            -DTEMPLATE=${PROJECT_SOURCE_DIR}/man/satchel.1.in -DPAGE=${page}
            -DVERSION=${PROJECT_VERSION}
            -P "${PROJECT_SOURCE_DIR}/cmake/ManualPage.cmake"
        DEPENDS ${target} man/satchel.1.in cmake/ManualPage.cmake)
    foreach(pair bash:bash-completion/completions/satchel
            zsh:zsh/site-functions/_satchel
            fish:fish/vendor_completions.d/satchel.fish)
        string(REPLACE ":" ";" pair "${pair}")
        list(GET pair 0 shell)
        list(GET pair 1 path)
        get_filename_component(parent "${folder}/${path}" DIRECTORY)
        file(MAKE_DIRECTORY "${parent}")
        add_custom_command(OUTPUT "${folder}/${path}"
            COMMAND ${target} help --completion ${shell} > "${folder}/${path}"
            DEPENDS ${target})
        list(APPEND outputs "${folder}/${path}")
    endforeach()
    add_custom_target(${target}_documents ALL DEPENDS ${outputs})
    install(DIRECTORY "${folder}/" DESTINATION share)
endfunction()

# sat_sanitizer_runtime(OUT): the library that a program which was not compiled
# with the sanitizer must load first, to load the extension that was.
function(sat_sanitizer_runtime out)
    set(${out} "" PARENT_SCOPE)
    if(NOT SAT_SANITIZE)
        return()
    endif()
    string(REGEX MATCH "address|thread" kind "${SAT_SANITIZE}")
    set(short_address asan)
    set(short_thread tsan)
    set(name "lib${short_${kind}}.so")
    if(CMAKE_C_COMPILER_ID STREQUAL Clang)
        set(name "libclang_rt.${short_${kind}}-${CMAKE_SYSTEM_PROCESSOR}.so")
    endif()
    execute_process(COMMAND "${CMAKE_C_COMPILER}" -print-file-name=${name}
        OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
    set(${out} "${path}" PARENT_SCOPE)
endfunction()

# sat_cli_tests(TARGET): every tests/cli/NAME_test.py is a test, "cli/NAME".
function(sat_cli_tests target)
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    sat_sanitizer_runtime(runtime)
    file(GLOB tests CONFIGURE_DEPENDS "tests/cli/*_test.py")
    foreach(test IN LISTS tests)
        get_filename_component(name "${test}" NAME_WE)
        string(REGEX REPLACE "_test$" "" name "${name}")
        add_test(NAME cli/${name} COMMAND Python3::Interpreter -B "${test}")
        set_tests_properties(cli/${name} PROPERTIES TIMEOUT 600 ENVIRONMENT
            "SATCHEL=$<TARGET_FILE:${target}>;SAT_BUILD_DIR=${PROJECT_BINARY_DIR};SAT_PRELOAD=${runtime}")
    endforeach()
endfunction()

# sat_page_test(TARGET): the page of the agent, used in a real browser; every
# tests/page/NAME_test.mjs is a test, "page/NAME".
function(sat_page_test target)
    find_program(NODE node REQUIRED)
    set(modules "${PROJECT_SOURCE_DIR}/build/page")
    add_test(NAME page/modules COMMAND
        "${PROJECT_SOURCE_DIR}/scripts/modules" page)
    set_tests_properties(page/modules PROPERTIES FIXTURES_SETUP page_modules)
    file(GLOB tests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/page/*_test.mjs")
    foreach(test IN LISTS tests)
        get_filename_component(name "${test}" NAME_WE)
        string(REGEX REPLACE "_test$" "" name "${name}")
        add_test(NAME page/${name} COMMAND "${NODE}" --test "${test}")
        set_tests_properties(page/${name} PROPERTIES
            FIXTURES_REQUIRED page_modules TIMEOUT 300 ENVIRONMENT
            "SATCHEL=$<TARGET_FILE:${target}>;PAGE_MODULES=${modules};SHOTS=${PROJECT_BINARY_DIR}/screenshots")
    endforeach()
endfunction()

# sat_contract_tests(): docs/openapi.yaml is in order, and whatever the tests in
# tests/hub asked and were answered is as it says.
function(sat_contract_tests)
    find_program(NODE node REQUIRED)
    set(exchanges "${PROJECT_BINARY_DIR}/exchanges")
    file(MAKE_DIRECTORY "${exchanges}")
    file(GLOB tests CONFIGURE_DEPENDS "tests/hub/*_test.c")
    foreach(test IN LISTS tests)
        get_filename_component(name "${test}" NAME_WE)
        string(REGEX REPLACE "_test$" "" name "${name}")
        set_tests_properties(hub/${name} PROPERTIES FIXTURES_SETUP exchanges
            ENVIRONMENT "SAT_EXCHANGES=${exchanges}/${name}.jsonl")
        # One that opens a town keeps a record, unless it says that it does not.
        file(READ "${test}" text)
        if(text MATCHES "\"(town|scene|nodes)\\.h\"" AND
           NOT text MATCHES "unsetenv\\(\"SAT_EXCHANGES\"\\)")
            list(APPEND files "${exchanges}/${name}.jsonl")
        endif()
    endforeach()
    add_test(NAME contract/modules COMMAND
        "${PROJECT_SOURCE_DIR}/scripts/modules" contract)
    add_test(NAME contract/document COMMAND "${NODE}"
        "${PROJECT_SOURCE_DIR}/tests/contract/document.mjs")
    add_test(NAME contract/exchanges COMMAND "${NODE}"
        "${PROJECT_SOURCE_DIR}/tests/contract/exchanges.mjs" ${files})
    set_tests_properties(contract/modules PROPERTIES
        FIXTURES_SETUP contract_modules)
    set_tests_properties(contract/document contract/exchanges PROPERTIES
        ENVIRONMENT "CONTRACT_MODULES=${PROJECT_SOURCE_DIR}/build/contract")
    set_tests_properties(contract/document PROPERTIES
        FIXTURES_REQUIRED contract_modules)
    set_tests_properties(contract/exchanges PROPERTIES
        FIXTURES_REQUIRED "contract_modules;exchanges")
endfunction()

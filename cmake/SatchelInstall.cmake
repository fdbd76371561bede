# What `make install` puts where. The manual page and the completions are
# installed where they are made, in SatchelCli.cmake.
include(GNUInstallDirs)

# sat_install(LIBRARY library PROGRAMS program... EXTENSION extension
#             HELPERS helper...)
function(sat_install)
    cmake_parse_arguments(ARG "" "LIBRARY;EXTENSION" "PROGRAMS;HELPERS" ${ARGN})
    configure_file(cmake/satchel.pc.in satchel.pc @ONLY)
    install(TARGETS ${ARG_LIBRARY} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(TARGETS ${ARG_PROGRAMS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
    install(TARGETS ${ARG_HELPERS}
        RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR})
    install(TARGETS ${ARG_EXTENSION}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/sqlite3)
    install(FILES packaging/satchel-agent.service
        DESTINATION lib/systemd/user)
    install(FILES packaging/satchel-hub.service
        DESTINATION lib/systemd/system)
    install(FILES packaging/hub.conf DESTINATION share/doc/satchel)
    install(DIRECTORY include/satchel
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(FILES "${PROJECT_BINARY_DIR}/satchel.pc"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

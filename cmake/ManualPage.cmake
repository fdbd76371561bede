# Puts what PROGRAM says about its commands into TEMPLATE, and writes PAGE.
execute_process(COMMAND "${PROGRAM}" help --man OUTPUT_VARIABLE COMMANDS
    COMMAND_ERROR_IS_FATAL ANY)
configure_file("${TEMPLATE}" "${PAGE}" @ONLY)

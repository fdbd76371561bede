# Writes OUTPUT, C source with the table sat__page_files of all of FILES.
set(table "")
set(number 0)
foreach(file IN LISTS FILES)
    file(READ "${file}" hex HEX)
    get_filename_component(name "${file}" NAME)
    string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
    string(APPEND arrays "static const uint8_t file${number}[] = {${bytes}};\n")
    string(APPEND table
        "    {\"/${name}\", {file${number}, sizeof file${number}}},\n")
    math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}" "#include \"page/files.h\"\n\n${arrays}\n"
    "const sat__page_file sat__page_files[] = {\n${table}    {NULL, {NULL, 0}}};\n")

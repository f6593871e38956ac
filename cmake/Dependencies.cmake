# Third-party code: Debian's packages, and cpp-httplib (docs/decisions/0001). script/bootstrap brings all of it.
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED CONFIG)  # headers only
find_package(fmt REQUIRED)
foreach(header toml++/toml.h nlohmann/json.hpp CLI/CLI.hpp tl/expected.hpp)
  string(MAKE_C_IDENTIFIER ${header} name)
  find_path(HOLDSHORT_${name} ${header} REQUIRED)
  mark_as_advanced(HOLDSHORT_${name})
endforeach()

# Debian has no libfmt.a; the shared library spares a development build a quarter of its time.
add_library(holdshort_fmt INTERFACE)
target_link_libraries(holdshort_fmt INTERFACE $<IF:$<BOOL:${HOLDSHORT_STATIC}>,fmt::fmt-header-only,fmt::fmt>)

# A target of what pkg-config says of `module`, asked once: pkg_check_modules asks a dozen times and leaves out what a
# static link needs, and RE2 of Debian 13 stands on eighty archives of Abseil, a second for each question.
find_package(PkgConfig REQUIRED)
function(holdshort_pkg_config target module)
  set(flags HOLDSHORT_FLAGS_OF_${module})
  if(NOT DEFINED ${flags})
    set(static "")
    if(HOLDSHORT_STATIC)
      set(static --static)
    endif()
    execute_process(
      COMMAND ${PKG_CONFIG_EXECUTABLE} ${static} --cflags --libs ${module}
      OUTPUT_VARIABLE output OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    separate_arguments(output UNIX_COMMAND "${output}")
    set(${flags} ${output} CACHE INTERNAL "")
  endif()
  add_library(${target} INTERFACE)
  foreach(flag IN LISTS ${flags})
    if(flag MATCHES "^-I(.+)")
      target_include_directories(${target} SYSTEM INTERFACE ${CMAKE_MATCH_1})
    elseif(flag MATCHES "^-L(.+)")
      target_link_directories(${target} INTERFACE ${CMAKE_MATCH_1})
    elseif(HOLDSHORT_SLIM_OPENSSL AND flag MATCHES "^-l(ssl|crypto)$")
      target_link_libraries(${target} INTERFACE ${HOLDSHORT_SLIM_DIR}/lib${CMAKE_MATCH_1}.a)
    elseif(HOLDSHORT_SLIM_OPENSSL AND flag MATCHES "^-l(z|zstd)$")
      # Nothing asks for them any more.
    elseif(flag MATCHES "^-l")
      target_link_libraries(${target} INTERFACE ${flag})
    endif()
  endforeach()
  target_link_libraries(${target} INTERFACE Threads::Threads)
endfunction()
include(SlimOpenssl)
holdshort_pkg_config(holdshort_re2 re2)
holdshort_pkg_config(holdshort_openssl openssl)
holdshort_pkg_config(holdshort_hiredis hiredis)

include(Httplib)

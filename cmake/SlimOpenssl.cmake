# Two megabytes less of OpenSSL in the static binary (docs/decisions/0004): its archives without the unwind tables of C
# code that nothing is thrown through, and agent/slim_openssl.cpp in the place of what we do not want of it.
# HOLDSHORT_SLIM_OPENSSL is TRUE where that is known to fit.
set(HOLDSHORT_SLIM_OPENSSL FALSE)
if(HOLDSHORT_STATIC AND CMAKE_OBJCOPY)
  execute_process(COMMAND ${PKG_CONFIG_EXECUTABLE} --modversion openssl OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(version VERSION_GREATER_EQUAL 3.2 AND version VERSION_LESS 3.6)
    set(HOLDSHORT_SLIM_OPENSSL TRUE)
  endif()
endif()

set(HOLDSHORT_SLIM_DIR ${CMAKE_BINARY_DIR}/slim_openssl)
if(HOLDSHORT_SLIM_OPENSSL)
  file(MAKE_DIRECTORY ${HOLDSHORT_SLIM_DIR})
  foreach(name ssl crypto)
    find_library(HOLDSHORT_lib${name} NAMES lib${name}.a REQUIRED)
    mark_as_advanced(HOLDSHORT_lib${name})
    if(HOLDSHORT_lib${name} IS_NEWER_THAN ${HOLDSHORT_SLIM_DIR}/lib${name}.a)
      execute_process(
        COMMAND ${CMAKE_OBJCOPY} --remove-section=.eh_frame ${HOLDSHORT_lib${name}} ${HOLDSHORT_SLIM_DIR}/lib${name}.a
        COMMAND_ERROR_IS_FATAL ANY)
    endif()
  endforeach()
endif()

# Functions with the same code, of which templates leave many, become one. With the other linker, where there is one.
if(HOLDSHORT_SLIM_OPENSSL)
  find_program(HOLDSHORT_GOLD ld.gold)
  mark_as_advanced(HOLDSHORT_GOLD)
  if(HOLDSHORT_GOLD)
    set(CMAKE_LINK_DEPENDS_USE_LINKER FALSE)
    target_link_options(holdshort_options INTERFACE -fuse-ld=gold LINKER:--icf=safe)
  endif()
endif()

# Asks the compiler, not the host, which machine is built for, and refuses those the value contract excludes.
# It must not know flags or sources.
include(CheckCXXSourceCompiles)

if(MSVC)
  message(FATAL_ERROR "fanfill needs GCC or Clang: its flags and intrinsics are theirs.")
endif()

function(fanfill_machine_is variable condition)
  check_cxx_source_compiles("
    #if !(${condition})
    #error not this machine
    #endif
    int main() { return 0; }" ${variable})
endfunction()

fanfill_machine_is(FANFILL_LITTLE_ENDIAN "__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__")
if(NOT FANFILL_LITTLE_ENDIAN)
  message(FATAL_ERROR "fanfill supports little-endian machines only: the value contract fixes the bytes in memory.")
endif()
fanfill_machine_is(FANFILL_64_BIT "__SIZEOF_POINTER__ == 8")
if(NOT FANFILL_64_BIT)
  message(FATAL_ERROR "fanfill supports 64-bit machines only: its indices and addresses are 64 bits wide.")
endif()

fanfill_machine_is(FANFILL_X86_64 "defined(__x86_64__)")
fanfill_machine_is(FANFILL_AARCH64 "defined(__aarch64__)")
if(FANFILL_X86_64)
  set(FANFILL_MACHINE x86_64)
elseif(FANFILL_AARCH64)
  set(FANFILL_MACHINE aarch64)
else()
  set(FANFILL_MACHINE other)
endif()

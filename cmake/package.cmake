# The installed CMake package: headers, the static library, and what find_package(fanfill) needs to find both.
# It knows where they are installed, and must not know how they are built.
include(CMakePackageConfigHelpers)

# The version of the Python package, which is the only place that states it.
file(STRINGS ${PROJECT_SOURCE_DIR}/pyproject.toml version_line REGEX "^version = " LIMIT_COUNT 1)
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" package_version "${version_line}")
if(NOT package_version)
  message(FATAL_ERROR "pyproject.toml states no version of three numbers: '${version_line}'")
endif()

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/fanfill)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/fanfill-config.cmake.in
  ${PROJECT_BINARY_DIR}/package/fanfill-config.cmake INSTALL_DESTINATION ${package_folder})
# Before 1.0 any minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/fanfill-config-version.cmake
  VERSION ${package_version} COMPATIBILITY SameMinorVersion)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/csrc/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS fanfill EXPORT fanfill-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT fanfill-targets NAMESPACE fanfill:: DESTINATION ${package_folder})
install(FILES ${PROJECT_BINARY_DIR}/package/fanfill-config.cmake
  ${PROJECT_BINARY_DIR}/package/fanfill-config-version.cmake DESTINATION ${package_folder})

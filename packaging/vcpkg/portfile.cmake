# The overlay port: it packs what the release's tarball has.
include("${CMAKE_CURRENT_LIST_DIR}/tarballs.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/arrange.cmake")

# A release has one build of the library; debug programs take it, too.
set(VCPKG_BUILD_TYPE release)
# They find the library from where they are, so they stay beside it. CMake looks there.
set(VCPKG_POLICY_SKIP_MISPLACED_CMAKE_FILES_CHECK enabled)
set(VCPKG_POLICY_SKIP_LIB_CMAKE_MERGE_CHECK enabled)

set(architecture "${VCPKG_TARGET_ARCHITECTURE}")
if(NOT DEFINED tarball_${architecture})
  message(FATAL_ERROR "${PORT} has no tarball for ${architecture}")
endif()
vcpkg_download_distfile(archive
  URLS "${url_${architecture}}"
  FILENAME "${tarball_${architecture}}"
  SHA512 "${sha512_${architecture}}")
vcpkg_extract_source_archive(tree ARCHIVE "${archive}")
arrange("${tree}" "${CURRENT_PACKAGES_DIR}" "${VCPKG_LIBRARY_LINKAGE}")
vcpkg_install_copyright(FILE_LIST "${tree}/share/doc/criwatch/LICENSE")

# arrange(TREE PACKAGE LINKAGE): of the unpacked tarball, what a package has. LINKAGE is dynamic or static: vcpkg's packages
# have one library.
function(arrange tree package linkage)
  if(linkage STREQUAL "static")
    set(libraries "${tree}/lib/libcriwatch.a")
  else()
    file(GLOB libraries "${tree}/lib/libcriwatch.so*")
  endif()
  file(INSTALL "${tree}/include" DESTINATION "${package}")
  file(INSTALL ${libraries} "${tree}/lib/cmake" "${tree}/lib/pkgconfig" DESTINATION "${package}/lib")
  file(INSTALL "${tree}/share/criwatch" DESTINATION "${package}/share")
endfunction()

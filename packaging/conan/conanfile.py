"""The Conan recipe. It packs what the release's tarball has; conandata.yml names the tarballs."""

import os

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.files import copy, get, load

required_conan_version = ">=2.0"


class CriwatchConan(ConanFile):
    name = "criwatch"
    description = "Which containers and pods run on this node, now, and what changes"
    license = "Apache-2.0"
    topics = ("cri", "containerd", "cri-o", "kubernetes", "monitoring")
    package_type = "library"
    # The C ABI is the same for every compiler and build type.
    settings = "os", "arch"
    options = {"shared": [True, False]}
    default_options = {"shared": True}

    def set_version(self):
        # conandata.yml is of one release.
        self.version = self.version or next(iter(self.conan_data["sources"]))

    def validate(self):
        if self.settings.os != "Linux" or str(self.settings.arch) not in self._tarballs():
            known = ", ".join(self._tarballs())
            raise ConanInvalidConfiguration(f"criwatch {self.version} is packed for Linux on {known} alone")

    def build(self):
        get(self, **self._tarballs()[str(self.settings.arch)], strip_root=True)

    def package(self):
        patterns = ["include/*", "share/criwatch/*", "lib/cmake/*", "lib/pkgconfig/*"]
        patterns.append("lib/libcriwatch.so*" if self.options.shared else "lib/libcriwatch.a")
        for pattern in patterns:
            copy(self, pattern, self.build_folder, self.package_folder)
        copy(self, "LICENSE", os.path.join(self.build_folder, "share/doc/criwatch"), os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # CMake takes the package's own files: the targets are those that every other installation has.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = ["lib/cmake/criwatch"]
        self.cpp_info.libs = ["criwatch"]
        if not self.options.shared:
            self.cpp_info.system_libs = self._native_libs()

    def _tarballs(self):
        return self.conan_data["sources"][str(self.version)]

    def _native_libs(self):
        """What a program links with the static library, as the build asked rustc: criwatch.pc has it."""
        lines = load(self, os.path.join(self.package_folder, "lib/pkgconfig/criwatch.pc")).splitlines()
        [listed] = [line.partition("=")[2] for line in lines if line.startswith("native_libs=")]
        return [library.removeprefix("-l") for library in listed.split()]

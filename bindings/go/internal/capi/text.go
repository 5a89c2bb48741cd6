//go:build linux

package capi

/*
#include <stdlib.h>
#include <criwatch.h>
*/
import "C"

import "unsafe"

// cstring copies a text for C; nil for an empty one if that means NULL. To be freed with free.
func cstring(text string, emptyIsNull bool) *C.char {
	if text == "" && emptyIsNull {
		return nil
	}
	return C.CString(text)
}

func free(text *C.char) { C.free(unsafe.Pointer(text)) }

// take copies the text of a buffer, and frees it.
func take(buffer *C.cri_buffer) []byte {
	defer C.cri_buffer_free(buffer)
	if buffer.data == nil {
		return nil
	}
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(buffer.data)), int(buffer.len))...)
}

// answer is the end of every function that gives JSON.
func answer(status C.cri_status, buffer *C.cri_buffer, err *C.cri_error) ([]byte, *Failure) {
	text := take(buffer)
	return text, failure(status, err)
}

//go:build linux

package capi

// #include <criwatch.h>
import "C"

import (
	"fmt"
	"strings"
)

// The statuses that this layer itself branches on.
const (
	ok              = C.CRI_OK
	again           = C.CRI_AGAIN
	none            = C.CRI_NONE
	invalidArgument = C.CRI_E_INVALID_ARGUMENT
)

// StatusName is cri_status_name.
func StatusName(status int32) string { return C.GoString(C.cri_status_name(C.cri_status(status))) }

// failure copies the error's parts, and frees it. nil for CRI_OK.
func failure(status C.cri_status, err *C.cri_error) *Failure {
	switch status {
	case ok:
		return nil
	case again, none:
		// Notes have no error object; the next call may have something to give.
		return &Failure{Status: int32(status), GRPCCode: -1, Retriable: true}
	}
	defer C.cri_error_free(err)
	return &Failure{
		Status:    int32(status),
		Message:   C.GoString(C.cri_error_message(err)),
		GRPCCode:  int32(C.cri_error_grpc_code(err)),
		OSCode:    int32(C.cri_error_os_code(err)),
		Retriable: C.cri_error_is_retriable(err) != 0,
	}
}

// noNUL refuses a text that C would silently cut.
func noNUL(what, text string) *Failure {
	if at := strings.IndexByte(text, 0); at >= 0 {
		message := fmt.Sprintf("%s: byte %d is NUL, which a string for C cannot have", what, at)
		return &Failure{Status: invalidArgument, Message: message, GRPCCode: -1}
	}
	return nil
}

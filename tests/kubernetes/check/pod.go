package main

import "errors"

func pod([]string) error { return errors.New("not yet") }

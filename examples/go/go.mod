module github.com/criwatch/criwatch/examples/go

go 1.21

require github.com/criwatch/criwatch/bindings/go v0.0.0

replace github.com/criwatch/criwatch/bindings/go => ../../bindings/go

// Pins s5cmd for the client suite, which builds it in a copy of this directory.
module s5cmd-for-tests

go 1.20

require github.com/peak/s5cmd/v2 v2.3.0

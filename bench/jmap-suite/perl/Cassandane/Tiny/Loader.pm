# Load the one file of tests that is to run, not the whole folder.
package Cassandane::Tiny::Loader;
use strict;
use warnings;

our $RELOADED;
our $FILE;

sub import {
    my ($class) = @_;
    my $into = caller;
    return if !defined $FILE;
    my $file = $FILE;
    undef $FILE;
    eval "package $into; do qq{$file}; die \$@ if \$@; 1" or die "cannot load $file: $@";
    return;
}

1;

# What a test says while it runs goes to standard error, where the runner shows it on request.
package Cassandane::Util::Log;
use strict;
use warnings;
use Exporter ();

our @ISA    = qw(Exporter);
our @EXPORT = qw(&xlog &set_verbose &get_verbose);

sub xlog {
    shift if ref $_[0];
    print STDERR '-- ', join(' ', map { $_ // '' } @_), "\n";
    return;
}
sub set_verbose { return }
sub get_verbose { return 0 }

1;

# Settings of the server that the suite was written for; Postern has its own, so they are taken and forgotten.
package Cassandane::Config;
use strict;
use warnings;

sub default { return bless {}, shift }
sub clone   { return bless { %{ $_[0] } }, ref $_[0] }
sub set     { my ($self, %pairs) = @_; @{$self}{ keys %pairs } = values %pairs; return }
sub get     { return $_[0]->{ $_[1] } }
sub get_bit { return 1 }

1;

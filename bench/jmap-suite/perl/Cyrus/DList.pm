# Loaded by the suite for tests of replicas, which are not run here.
package Cyrus::DList;
use strict;
use warnings;

1;

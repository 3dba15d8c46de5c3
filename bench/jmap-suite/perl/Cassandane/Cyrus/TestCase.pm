# The object that tests are methods of: clients, messages, assertions.
package Cassandane::Cyrus::TestCase;
use strict;
use warnings;
use Carp ();
use Scalar::Util qw(blessed looks_like_number);
use Cassandane::Generator;
use Cassandane::Instance;
use Cassandane::Config;
use Cassandane::Util::Log;
use Postern::Store;

our $SITE;
# Go on after an assertion that failed, to see all of a test.
our $SOFT = $ENV{JMAP_SUITE_GO_ON};
our @FAILED;

# Attributes of tests (":min_version_3_1") are read by the runner, from the text.
sub MODIFY_CODE_ATTRIBUTES { return }

sub new {
    my ($class) = @_;
    return bless { _name => 'test' }, $class;
}

sub id         { return $_[0]->{_name} }
sub needs      { return }
sub want       { return }
sub config_set { return }
sub tear_down  { return }

sub set_up {
    my ($self) = @_;
    $self->{instance}   = Cassandane::Instance->new(site => $SITE);
    $self->{store}      = Postern::Store->new($SITE, 'cassandane');
    $self->{adminstore} = Postern::AdminStore->new($SITE);
    $self->{gen}        = Cassandane::Generator->new();
    $self->{jmap}       = Postern::Store::jmap_of($SITE, 'cassandane');
    return;
}

sub make_message {
    my ($self, $subject, %attrs) = @_;
    my $store = delete $attrs{store} || $self->{store};
    # Postern lets nobody send as somebody else (RFC 8621 section 7.5, forbiddenFrom).
    $attrs{from} = Cassandane::Address->new(localpart => 'cassandane', domain => $SITE->{domain})
        if $SITE->{ownFrom} && !exists $attrs{from};
    my $message = $self->{gen}->generate(subject => $subject, %attrs);
    $message->remove_headers('subject') if !defined $subject;
    for my $name (qw(to from)) {
        $message->remove_headers($name) if exists $attrs{$name} && !$attrs{$name};
    }
    $store->write_begin();
    $store->write_message($message);
    $store->write_end();
    return $message;
}

sub check_messages {
    my ($self, $expected, %params) = @_;
    my $key   = $params{keyed_on} || 'subject';
    my $store = $params{store} || $self->{store};
    my $actual = $params{actual};
    if (!defined $actual) {
        $actual = {};
        $store->read_begin();
        while (my $message = $store->read_message()) { $actual->{ $message->$key() } = $message }
        $store->read_end();
    }
    $self->assert_num_equals(scalar keys %{$expected}, scalar keys %{$actual});
    for my $message (values %{$expected}) {
        my $found = $actual->{ $message->$key() };
        $self->assert_not_null($found);
        my $mark = 'x-cassandane-unique';
        $self->assert_str_equals($message->get_header($mark), $found->get_header($mark));
    }
    return $actual;
}

sub shown {
    my ($value) = @_;
    return 'undef' if !defined $value;
    return "$value" if !ref $value;
    return $value ? 'true' : 'false' if JSON::is_bool($value);
    my $text = eval { JSON->new->canonical->allow_nonref->allow_blessed->convert_blessed->encode($value) } // "$value";
    return length $text > 1500 ? substr($text, 0, 1500) . '...' : $text;
}

sub fail_assert {
    my ($what, @more) = @_;
    my $message = join ' ', grep { defined } @more;
    local $Carp::CarpLevel = 0;
    my $line = '';
    for (my $depth = 0; my @frame = caller $depth; $depth++) {
        if ($frame[1] =~ m{tiny-tests/|Cassandane/Cyrus/JMAP}) { $line = $frame[2]; last }
    }
    my $text = "ASSERT line $line: $what" . ($message eq '' ? '' : " ($message)") . "\n";
    die $text if !$SOFT;
    push @FAILED, $text;
    return;
}

sub assert {
    my ($self, $first, @more) = @_;
    if (ref $first eq 'Regexp') {
        my $text = shift @more;
        return 1 if defined $text && $text =~ $first;
        fail_assert(shown($text) . " does not match $first", @more);
    }
    return 1 if $first;
    fail_assert('not true', @more);
}
sub assert_null     { my ($s, $v, @m) = @_; return 1 if !defined $v; fail_assert(shown($v) . ' is not null', @m) }
sub assert_not_null { my ($s, $v, @m) = @_; return 1 if defined $v;  fail_assert('is null', @m) }
sub assert_matches  { my ($s, $r, $v, @m) = @_; return 1 if defined $v && $v =~ $r; fail_assert(shown($v) . " does not match $r", @m) }
sub assert_does_not_match { my ($s, $r, $v, @m) = @_; return 1 if defined $v && $v !~ $r; fail_assert(shown($v) . " matches $r", @m) }

sub assert_str_equals {
    my ($self, $want, $got, @more) = @_;
    return 1 if defined $want && defined $got && "$want" eq "$got";
    return 1 if !defined $want && !defined $got;
    fail_assert('expected ' . shown($want) . ', got ' . shown($got), @more);
}
sub assert_str_not_equals {
    my ($self, $want, $got, @more) = @_;
    fail_assert('got ' . shown($got), @more) if defined $want && defined $got && "$want" eq "$got";
    return 1;
}
sub same {
    my ($want, $got) = @_;
    return !defined $want && !defined $got if !defined $want || !defined $got;
    if (JSON::is_bool($want) || JSON::is_bool($got)) { return !!$want eq !!$got }
    return $want == $got if looks_like_number($want) && looks_like_number($got);
    return "$want" eq "$got";
}
sub assert_equals {
    my ($self, $want, $got, @more) = @_;
    return 1 if same($want, $got);
    fail_assert('expected ' . shown($want) . ', got ' . shown($got), @more);
}
sub assert_not_equals {
    my ($self, $want, $got, @more) = @_;
    fail_assert('got ' . shown($got), @more) if same($want, $got);
    return 1;
}

my %COMPARE = (
    equals     => sub { $_[1] == $_[0] },
    not_equals => sub { $_[1] != $_[0] },
    gt         => sub { $_[1] > $_[0] },
    gte        => sub { $_[1] >= $_[0] },
    lt         => sub { $_[1] < $_[0] },
    lte        => sub { $_[1] <= $_[0] },
);
for my $name (keys %COMPARE) {
    no strict 'refs';
    *{"assert_num_$name"} = sub {
        my ($self, $want, $got, @more) = @_;
        return 1 if looks_like_number($want) && looks_like_number($got) && $COMPARE{$name}->($want, $got);
        fail_assert("number $name " . shown($want) . ': got ' . shown($got), @more);
    };
}

# Where two structures differ; undef where they do not.
sub difference {
    my ($want, $got, $path) = @_;
    my $differ = "at $path: expected " . shown($want) . ', got ' . shown($got);
    if (ref $want eq 'HASH' && ref $got eq 'HASH') {
        my %keys = (%{$want}, %{$got});
        for my $key (sort keys %keys) {
            return "at $path: " . shown($key) . ' is missing' if !exists $got->{$key};
            return "at $path: " . shown($key) . ' = ' . shown($got->{$key}) . ' was not expected' if !exists $want->{$key};
            my $found = difference($want->{$key}, $got->{$key}, "$path/$key");
            return $found if defined $found;
        }
        return undef;
    }
    if (ref $want eq 'ARRAY' && ref $got eq 'ARRAY') {
        return $differ if @{$want} != @{$got};
        for my $at (0 .. $#{$want}) {
            my $found = difference($want->[$at], $got->[$at], "$path/$at");
            return $found if defined $found;
        }
        return undef;
    }
    return same($want, $got) ? undef : $differ;
}
sub assert_deep_equals {
    my ($self, $want, $got, @more) = @_;
    my $found = difference($want, $got, '');
    return 1 if !defined $found;
    fail_assert($found, @more);
}

1;

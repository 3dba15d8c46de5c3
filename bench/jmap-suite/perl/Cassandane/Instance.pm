# What tests ask of the instance of the server, as far as any mail server has it: users, mail that arrives, scripts.
package Cassandane::Instance;
use strict;
use warnings;
use IO::Socket::INET;
use Cassandane::Config;
use Postern::Store;

sub get_version { return (3, 12, 4, 0) }

sub new {
    my ($class, %given) = @_;
    return bless { config => Cassandane::Config->default(), %given }, $class;
}

sub get_service { return Postern::Service->new($_[0]->{site}) }

# The runner has made every account that the text of the test names.
sub create_user {
    my ($self, $user, %params) = @_;
    die "there is no account $user" if !$self->{site}{accounts}{$user};
    my $talk = Postern::Store->new($self->{site}, $user)->get_client();
    for my $folder (@{ $params{subdirs} || [] }) {
        $talk->create("INBOX.$folder") or die "cannot create $folder: $@";
    }
    return 1;
}

# The index of what can be searched is kept by the server itself.
sub run_command {
    my ($self, @args) = @_;
    shift @args if ref $args[0];
    return 1 if $args[0] eq 'squatter';
    die "the test runs a program of Cyrus: $args[0]";
}

# Messages that wait to be sent later; there they are alarms.
sub getalarmdb {
    my ($self) = @_;
    my $jmap = Postern::Store::jmap_of($self->{site}, 'cassandane');
    my $res = $jmap->CallMethods([
        [ 'EmailSubmission/query', { filter => { undoStatus => 'pending' } }, 'q' ],
        [ 'EmailSubmission/get', { '#ids' => { resultOf => 'q', name => 'EmailSubmission/query', path => '/ids' } }, 'g' ],
    ], [ 'urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:submission' ]);
    return $res->[1][1]{list};
}

# By LMTP (RFC 2033), as mail from anywhere arrives.
sub deliver {
    my ($self, $message, %params) = @_;
    my @users = @{ $params{users} || [ $params{user} || 'cassandane' ] };
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{site}{ports}{lmtp})
        or die "no LMTP: $!";
    my $answer = sub {
        while (defined(my $line = <$socket>)) {
            return $line if $line =~ /^\d\d\d /;
        }
        die 'LMTP ended';
    };
    my $say = sub { print {$socket} "$_[0]\r\n"; return $answer->() };
    $answer->();
    $say->('LHLO suite.test');
    $say->('MAIL FROM:<sender@elsewhere.test>');
    my $taken = 0;
    for (@users) {
        my $address = /@/ ? $_ : "$_\@$self->{site}{domain}";
        $taken++ if $say->("RCPT TO:<$address>") =~ /^2/;
    }
    my $text = ref $message ? $message->as_string() : $message;
    $text =~ s/\r?\n/\r\n/g;
    $text =~ s/^\./../mg;
    $say->('DATA');
    print {$socket} $text . ($text =~ /\r\n\z/ ? '' : "\r\n") . ".\r\n";
    my $refused = 0;
    for (1 .. $taken) { $refused++ if $answer->() !~ /^2/ }
    print {$socket} "QUIT\r\n";
    return $refused;
}

sub install_sieve_script {
    my ($self, $script, %params) = @_;
    my $jmap = Postern::Store::jmap_of($self->{site}, $params{username} || 'cassandane');
    utf8::encode($script) if utf8::is_utf8($script);
    my $blob = $jmap->Upload($script, 'application/sieve');
    my $res = $jmap->CallMethods([[ 'SieveScript/set', {
        create => { s => { name => $params{name} || 'test1', blobId => $blob->{blobId} } },
        onSuccessActivateScript => '#s',
    }, 's' ]], [ 'urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:sieve' ]);
    die 'the script was not taken' if !$res->[0][1]{created};
    return 1;
}

package Postern::Service;

sub new  { my ($class, $site) = @_; return bless { site => $site }, $class }
sub host { return '127.0.0.1' }
sub port { return $_[0]->{site}{ports}{http} }
sub create_store {
    my ($self, %params) = @_;
    my $user = $params{username} || 'cassandane';
    return $user eq 'admin' ? Postern::AdminStore->new($self->{site}) : Postern::Store->new($self->{site}, $user);
}

1;

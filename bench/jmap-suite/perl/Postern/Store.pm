# Mail stores by IMAP, in the words that the suite has for mailboxes: "INBOX.a.b" of somebody, "user.NAME.a.b" of anybody.
package Postern::Store;
use strict;
use warnings;
use base qw(Cassandane::IMAPMessageStore);
use Mail::JMAPTalk;
use Postern::UserAgent;

sub new {
    my ($class, $site, $user) = @_;
    my $self = $class->SUPER::new(
        host => '127.0.0.1', port => $site->{ports}{imaps},
        username => address_of($site, $user), password => $site->{password}, folder => 'INBOX',
    );
    @{$self}{qw(site user)} = ($site, $user);
    return $self;
}

sub address_of {
    my ($site, $user) = @_;
    return $user =~ /@/ ? $user : "$user\@$site->{domain}";
}

# Over TLS, as passwords are taken by IMAP; the certificate of a test server is its own.
sub connect {
    my ($self) = @_;
    return if $self->{client} && $self->{client}->state() >= Mail::IMAPTalk::Authenticated();
    $self->disconnect();
    my $client = Postern::Talk->new(
        Server => $self->{host}, Port => $self->{port}, UseSSL => 1, SSL_verify_mode => 0, UseBlocking => 1,
        Pedantic => 1, PreserveINBOX => 1, Uid => 0,
    ) or die "no IMAP: $@";
    $client->login($self->{username}, $self->{password}) or die "no login by IMAP: $@";
    $client->set_unicode_folders(1);
    $client->parse_mode(Envelope => 1);
    $client->{postern_site} = $self->{site};
    $self->{client} = $client;
    return;
}

# A JMAP client of somebody, with that account where a call names none.
sub jmap_of {
    my ($site, $user) = @_;
    my $jmap = Mail::JMAPTalk->new(
        user => address_of($site, $user), password => $site->{password}, scheme => 'http',
        host => '127.0.0.1', port => $site->{ports}{http}, url => '/jmap/', accountId => $user,
        ua => Postern::UserAgent->new($site, $user),
    );
    return $jmap;
}

# Clients that a test makes itself, by the name of a user.
{
    no warnings 'redefine';
    my $made = \&Mail::JMAPTalk::new;
    *Mail::JMAPTalk::new = sub {
        my ($class, %given) = @_;
        return $made->($class, %given) if ($given{user} // '@') =~ /@/;
        return jmap_of($Cassandane::Cyrus::TestCase::SITE, $given{user});
    };
}

package Postern::Talk;
use base qw(Mail::IMAPTalk);

# That of the library waits for what the server says last.
sub DESTROY { return }

# "INBOX.a.b" is "a/b" here.
sub ours {
    my ($name) = @_;
    return $name if !defined $name || ref $name;
    return 'INBOX' if $name =~ /^inbox$/i;
    if ($name =~ m{^user\.([^.]+)(?:\.(.*))?$}s) {
        my $site = $Cassandane::Cyrus::TestCase::SITE;
        my $path = defined $2 ? $2 : 'INBOX';
        return "$site->{otherUsers}/$1\@$site->{domain}/" . $path =~ tr{./}{/.}r;
    }
    return $name if $name !~ s/^INBOX\.//i;
    $name =~ tr{./}{/.};
    return $name;
}

sub theirs {
    my ($name) = @_;
    return $name if !defined $name || $name =~ /^INBOX$/i;
    $name =~ tr{/.}{./};
    return "INBOX.$name";
}

sub _fix_folder_name {
    my ($self, $name, @more) = @_;
    return $self->SUPER::_fix_folder_name(ours($name), @more);
}

sub list {
    my ($self, @args) = @_;
    my $at = ref $args[0] ? 1 : 0;
    my ($reference, $pattern) = @args[$at, $at + 1];
    if (defined $reference && !ref $pattern) {
        ($reference, $pattern) = ('', "$reference$pattern");
        $pattern = $1 =~ tr{./}{/.}r if $pattern =~ /^INBOX\.(.*)$/i;
        @args[$at, $at + 1] = ($reference, $pattern);
    }
    return told($self->SUPER::list(@args));
}

sub lsub { my ($self, @args) = @_; return told($self->SUPER::lsub(@args)) }

# Rows may come one after the other, without lists around each.
sub told {
    my ($rows) = @_;
    return $rows if ref $rows ne 'ARRAY' || !@{$rows};
    if (ref $rows->[0] eq 'ARRAY' && !ref $rows->[1]) {
        my @flat = @{$rows};
        $rows = [];
        push @{$rows}, [ splice @flat, 0, 3 ] while @flat;
    }
    return [ map { ref $_ eq 'ARRAY' ? [ $_->[0], '.', theirs($_->[2]) ] : $_ } @{$rows} ];
}

# The suite asks for this one before it goes on; threads are there without it.
sub capability {
    my ($self, @args) = @_;
    my $had = $self->SUPER::capability(@args);
    return $had if ref $had ne 'HASH';
    return { %{$had}, xconversations => 1 };
}

sub setacl {
    my ($self, $name, @pairs) = @_;
    while (my ($who, $rights) = splice @pairs, 0, 2) {
        next if $who =~ /^(?:admin|anyone)$/;
        my $address = Postern::Store::address_of($self->{postern_site}, $who);
        # Cyrus has more letters than RFC 4314: "n" is for annotations.
        $rights =~ s/[^lrswipkxteacd+-]//g;
        $self->SUPER::setacl($name, $address, $rights) or return undef;
    }
    return 1;
}

# An administrator of the suite: everything is done as the owner of the mailbox.
package Postern::AdminStore;

sub new {
    my ($class, $site) = @_;
    return bless { site => $site, folder => 'user.cassandane', of => {} }, $class;
}

sub split_name {
    my ($name) = @_;
    return ('cassandane', $name) if $name !~ m{^user[./]([^./]+)(?:[./](.*))?$}s;
    return ($1, defined $2 ? "INBOX.$2" : 'INBOX');
}

sub store_of {
    my ($self, $user) = @_;
    return $self->{of}{$user} ||= Postern::Store->new($self->{site}, $user);
}

sub at_folder {
    my ($self) = @_;
    my ($user, $name) = split_name($self->{folder});
    my $store = $self->store_of($user);
    $store->set_folder($name);
    return $store;
}

sub get_client  { return Postern::AdminTalk->new($_[0]) }
sub set_folder  { $_[0]->{folder} = $_[1]; return }
sub write_begin { return $_[0]->at_folder()->write_begin() }
sub write_message { my ($self, @args) = @_; return $self->at_folder()->write_message(@args) }
sub write_end   { return }
sub disconnect  { return }
sub _select     { my $store = $_[0]->at_folder(); $store->connect(); return $store->_select() }

package Postern::AdminTalk;
our $AUTOLOAD;

sub new { my ($class, $store) = @_; return bless { store => $store, last => undef }, $class }
sub DESTROY { return }
sub capability { my ($self) = @_; return $self->{store}->store_of('cassandane')->get_client()->capability() }

my %NAMED = map { $_ => 1 } qw(create delete select examine rename setacl getacl deleteacl copy move append status subscribe unsubscribe);

sub AUTOLOAD {
    my ($self, @args) = @_;
    my $command = $AUTOLOAD =~ s/.*:://r;
    my $user = $self->{last} || 'cassandane';
    if ($NAMED{$command}) {
        my @names = $command eq 'rename' ? (0, 1) : $command =~ /^(?:copy|move)$/ ? (1) : (0);
        for my $at (@names) { ($user, $args[$at]) = Postern::AdminStore::split_name($args[$at]) }
    }
    $self->{last} = $user if $command =~ /^(?:select|examine)$/;
    my $store = $self->{store}->store_of($self->{last} && $command =~ /^(?:copy|move)$/ ? $self->{last} : $user);
    return 1 if $command eq 'create' && $args[0] eq 'INBOX';
    $self->{talk} = $store->get_client();
    return $self->{talk}->$command(@args);
}

1;

# HTTP as the suite speaks it to its own server, turned into what the RFCs have where the two differ:
# - its session and API have one address, here each has its own;
# - its accounts have the name of their user as their id; no accountId, or null, stands for one's own;
# - it asks for the type of a download by "Accept", here the template of the session has a place for it (RFC 8620 section 6.2);
# - a mailbox may be named by its role there; "$inbox", which the suite writes for brevity, becomes an id;
# - capabilities of Cyrus alone are not asked for; those that became RFC 9404 and 9425 are asked for by their names there.
package Postern::UserAgent;
use strict;
use warnings;
use base qw(HTTP::Tiny);
use JSON;

my $JSON = JSON->new->utf8->max_depth(2048)->allow_nonref;
my %RENAMED = map { ("https://cyrusimap.org/ns/jmap/$_" => "urn:ietf:params:jmap:$_") } qw(blob quota);
my $OTHER_ACCOUNT = qr/^(?:Core\/echo|PushSubscription\/)/;

sub new {
    my ($class, $site, $user) = @_;
    my $self = $class->SUPER::new(timeout => 20);
    $self->{postern} = { site => $site, user => $user };
    return $self;
}

sub request {
    my ($self, $method, $url, $options) = @_;
    my ($site, $user) = @{ $self->{postern} }{qw(site user)};
    my %ids = %{ $site->{accounts} };
    my %options = %{ $options || {} };
    $url =~ s{/jmap/(?=$|\?)}{ $method eq 'POST' ? '/jmap/api' : '/jmap/session' }e;
    $url =~ s{/jmap/(upload|download)/([^/]+)/}{ my $id = $ids{$2} // $2; "/jmap/$1/$id/" }e;
    my %headers = %{ $options{headers} || {} };
    $options{headers} = \%headers;
    if ($url =~ m{/jmap/download/}) {
        my ($name) = grep { lc eq 'accept' } keys %headers;
        my ($wanted) = defined $name ? grep { !/;\s*q=0\.\d/ } split /\s*,\s*/, $headers{$name} : ();
        $url .= '?accept=' . ($wanted =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger) if defined $wanted;
    }
    $options{content} = asked($options{content}, $user, $site) if $url =~ m{/jmap/api$} && defined $options{content};
    my $response = $self->SUPER::request($method, $url, \%options);
    my %names = reverse %ids;
    my $any = join '|', map { quotemeta } keys %names;
    my $type = $response->{headers}{'content-type'} // '';
    if (length $any && defined $response->{content} && $type =~ m{^(?:application/json|text/event-stream)}) {
        if ($url =~ m{/jmap/(?:session|eventsource)}) { $response->{content} =~ s{"($any)"}{"$names{$1}"}g }
        else { $response->{content} =~ s{("(?:a|fromA)ccountId"\s*:\s*)"($any)"}{$1"$names{$2}"}g }
    }
    return $response;
}

# What is no request is sent as it is.
sub asked {
    my ($content, $user, $site) = @_;
    my ($ids, $inboxes) = @{$site}{qw(accounts inboxes)};
    my $request = eval { $JSON->decode($content) };
    return $content if ref $request ne 'HASH' || ref $request->{methodCalls} ne 'ARRAY' || ref $request->{using} ne 'ARRAY';
    my %seen;
    $request->{using} = [
        grep { ref || (!m{^https://cyrusimap\.org/} && !$seen{$_}++) }
        map { !ref && $RENAMED{$_} || $_ } @{ $request->{using} }
    ];
    for my $call (@{ $request->{methodCalls} }) {
        next if ref $call ne 'ARRAY' || ref $call->[1] ne 'HASH' || $call->[0] =~ $OTHER_ACCOUNT;
        my $args = $call->[1];
        # It writes a state that nobody has as the number 0.
        for my $field (qw(sinceState sinceQueryState)) {
            $args->{$field} = "$args->{$field}" if defined $args->{$field} && !ref $args->{$field};
        }
        for my $field ('accountId', $call->[0] =~ m{/copy$} ? 'fromAccountId' : ()) {
            next if exists $args->{"#$field"};
            my $name = $args->{$field} // $user;
            $args->{$field} = ref $name ? $name : $ids->{$name} // $name;
            named_inbox($args, $inboxes->{$name}) if $field eq 'accountId' && !ref $name && $inboxes->{$name};
        }
    }
    return $JSON->encode($request);
}

sub named_inbox {
    my ($value, $id) = @_;
    if (ref $value eq 'ARRAY') { named_inbox($_, $id) for @{$value} }
    return if ref $value ne 'HASH';
    for my $key (keys %{$value}) {
        named_inbox($value->{$key}, $id);
        $value->{$id} = delete $value->{$key} if $key eq '$inbox';
        $value->{"mailboxIds/$id"} = delete $value->{$key} if $key eq 'mailboxIds/$inbox';
        $value->{inMailbox} = $id if $key eq 'inMailbox' && defined $value->{$key} && $value->{$key} eq '$inbox';
    }
    return;
}

1;

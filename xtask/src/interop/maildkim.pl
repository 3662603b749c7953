# Signs and verifies with Mail::DKIM: a line a job, which is JSON, a tab
# and the message in base64; JSON out.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;
use Mail::DKIM::AuthorDomainPolicy;
use Mail::DKIM::DkSignature;
use Mail::DKIM::PrivateKey;
use Mail::DKIM::Signature;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS;

my %records;
{
    no warnings 'redefine';
    *Mail::DKIM::DNS::query_async = sub {
        my ( $name, $type, %options ) = @_;
        my $text = $records{ lc $name };
        my @answer = defined $text
            ? Net::DNS::RR->new( owner => $name, type => 'TXT', txtdata => [ $text =~ /(.{1,255})/gs ] )
            : ();
        my $found = $options{Callbacks}->{Success}->(@answer);
        return sub { $found };
    };
    # Whether an Author Domain exists: it does if a name is there, or one below it.
    *Mail::DKIM::DNS::query = sub {
        my ($name) = @_;
        $@ = ( grep { /(^|\.)\Q$name\E$/ } keys %records ) ? '' : 'NXDOMAIN';
        return ();
    };
}

# DomainKeys (RFC 4870). Without a list of fields all of them are signed.
sub sign_domainkeys {
    my ( $job, $message ) = @_;
    my $text = join '', grep { !/-----/ } split /\r?\n/, $job->{key};
    my $policy = sub {
        shift->add_signature(
            Mail::DKIM::DkSignature->new(
                Algorithm => 'rsa-sha1',
                Method    => $job->{canonicalization},
                Domain    => $job->{domain},
                Selector  => $job->{selector},
                ( @{ $job->{fields} } ? ( Headers => join( ':', @{ $job->{fields} } ) ) : () ),
            )
        );
        return 0;
    };
    my $signer = Mail::DKIM::Signer->new(
        Policy => $policy,
        Key    => Mail::DKIM::PrivateKey->load( Data => $text ),
    );
    $signer->PRINT($message);
    $signer->CLOSE;
    die $signer->result unless $signer->result eq 'signed';
    my $field = $signer->signature->as_string;
    $field =~ s/\r?\n/\r\n/g;
    return "$field\r\n";
}

sub sign {
    my ( $job, $message ) = @_;
    my $ed25519 = $job->{algorithm} =~ /^ed25519/;
    my $text = join '', grep { !/-----/ } split /\r?\n/, $job->{key};
    # A policy of our own: without it, more fields are signed than those asked for.
    my $policy = sub {
        shift->add_signature(
            Mail::DKIM::Signature->new(
                Algorithm => $job->{algorithm},
                Method    => $job->{canonicalization},
                Domain    => $job->{domain},
                Selector  => $job->{selector},
                Headers   => join( ':', @{ $job->{fields} } ),
                Timestamp => $job->{time},
            )
        );
        return 0;
    };
    my $signer = Mail::DKIM::Signer->new(
        Policy => $policy,
        Key    => Mail::DKIM::PrivateKey->load( Data => $text, $ed25519 ? ( Type => 'ed25519' ) : () ),
    );
    $signer->PRINT($message);
    $signer->CLOSE;
    die $signer->result unless $signer->result eq 'signed';
    my $field = $signer->signature->as_string;
    $field =~ s/\r?\n/\r\n/g;
    return "$field\r\n";
}

sub verify {
    my ( $job, $message ) = @_;
    %records = %{ $job->{records} };
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT($message);
    $verifier->CLOSE;
    return scalar grep { ( $_->result // '' ) eq 'pass' } $verifier->signatures;
}

# The practices of an Author Domain (RFC 5617).
sub adsp {
    my ($job) = @_;
    %records = %{ $job->{records} };
    my $policy = Mail::DKIM::AuthorDomainPolicy->fetch( Protocol => 'dns', Domain => $job->{adsp} );
    return $policy->policy;
}

$| = 1;
my ( $last, $job ) = ('');
while ( my $line = <STDIN> ) {
    my ( $text, $octets ) = split /\t/, $line;
    ( $last, $job ) = ( $text, decode_json($text) ) if $text ne $last;
    my $message = decode_base64($octets);
    my $answer = eval {
        $job->{adsp}
            ? { practices => adsp($job) }
            : $job->{domainkeys}
            ? { field => encode_base64( sign_domainkeys( $job, $message ), '' ) }
            : $job->{key}
            ? { field => encode_base64( sign( $job, $message ), '' ) }
            : { pass => verify( $job, $message ) ? JSON::PP::true : JSON::PP::false };
    } // { error => "$@" };
    print encode_json($answer), "\n";
}

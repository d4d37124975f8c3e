//! The commands, one a file: those that stay connected (`call`, `answer`, `watch`), those that ask or act once, and
//! those of the operator.

mod admit;
mod answer;
mod backup;
mod call;
mod cancel;
mod completions;
mod devices;
mod doctor;
mod end;
mod find;
mod history;
mod invite;
mod join;
mod keys;
mod leave;
mod man;
mod missed;
mod outside;
mod people;
mod reject;
mod serve;
mod sign_in;
mod sign_out;
mod token;
mod watch;
mod whoami;

use clap::Subcommand;

use crate::{
    Context,
    exit::{Exit, Failure},
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(serve::Serve),
    /// Sign this device in with an invite.
    SignIn(sign_in::SignIn),
    /// List the servers of this network.
    Find(find::Find),
    /// Ask a server to be let in, without an invite.
    Join(join::Join),
    /// List who waits to be let in, or answer one of them.
    Admit(admit::Admit),
    /// Sign this device out.
    SignOut(sign_out::SignOut),
    /// Make an invite.
    Invite(invite::Invite),
    /// Say who this device is signed in as.
    Whoami(whoami::Whoami),
    /// List the people of the server.
    People(people::People),
    /// List the devices of this person, or sign one out.
    Devices(devices::Devices),
    /// List the API keys of the server, make one, or revoke one.
    Keys(keys::Keys),
    /// Ring people, and talk when the first of them answers.
    Call(call::Call),
    /// Wait for a ring, and answer it.
    Answer(answer::Answer),
    /// Print every change of every call.
    Watch(watch::Watch),
    /// Refuse the call that rings.
    Reject(reject::Reject),
    /// Stop ringing somebody.
    Cancel(cancel::Cancel),
    /// Go out of a call, or stop its ringing on this device alone.
    Leave(leave::Leave),
    /// End a call for everyone.
    End(end::End),
    /// List the calls that were.
    History(history::History),
    /// List the calls that were missed and not looked at yet.
    Missed(missed::Missed),
    /// Make a token for a room of the media server, for any LiveKit client.
    Token(token::Token),
    /// Copy everything a server keeps, while it runs or not.
    Backup(backup::Backup),
    /// Say what works here and what does not.
    Doctor(doctor::Doctor),
    /// Print completions for a shell.
    Completions(completions::Completions),
    /// Print the manual page of a command, or write all of them.
    Man(man::Man),
}

impl Command {
    pub(crate) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Serve(command) => command.run(context).await,
            Self::SignIn(command) => command.run(context).await,
            Self::Find(command) => command.run(context).await,
            Self::Join(command) => command.run(context).await,
            Self::Admit(command) => command.run(context).await,
            Self::SignOut(command) => command.run(context).await,
            Self::Invite(command) => command.run(context).await,
            Self::Whoami(command) => command.run(context).await,
            Self::People(command) => command.run(context).await,
            Self::Devices(command) => command.run(context).await,
            Self::Keys(command) => command.run(context).await,
            Self::Call(command) => command.run(context).await,
            Self::Answer(command) => command.run(context).await,
            Self::Watch(command) => command.run(context).await,
            Self::Reject(command) => command.run(context).await,
            Self::Cancel(command) => command.run(context).await,
            Self::Leave(command) => command.run(context).await,
            Self::End(command) => command.run(context).await,
            Self::History(command) => command.run(context).await,
            Self::Missed(command) => command.run(context).await,
            Self::Token(command) => command.run(context),
            Self::Backup(command) => command.run(context).await,
            Self::Doctor(command) => command.run(context).await,
            Self::Completions(command) => Ok(command.run()),
            Self::Man(command) => command.run(),
        }
    }
}

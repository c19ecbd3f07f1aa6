//! The README's chapter on deployment, on hosts with addresses of their own: followed to the letter, and with the usual
//! mistakes. Needs root, for the hosts' networks.

mod mistakes;
mod site;
mod to_the_letter;

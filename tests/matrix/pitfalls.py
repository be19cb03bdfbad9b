"""Each known pitfall of a Matrix bot, with the tests that would notice it.

The first list is of what people and servers do to a bot, the second of what a suite should hold;
both follow our collected facts about Matrix. `tests/unit/test_pitfalls.py` checks that every
test named here exists.
"""

from __future__ import annotations

RECEIVE = "tests/unit/test_matrix_receive.py"
LEVELS = "tests/unit/test_matrix_permissions.py"
TIMELINES = "tests/unit/test_matrix_timelines.py"
RENDERING = "tests/unit/test_matrix_rendering.py"
SIGNATURES = "tests/unit/test_matrix_signatures.py"
RECOVERY = "tests/unit/test_matrix_recovery.py"
OUTBOX = "tests/unit/test_outbox.py"
LOGS = "tests/unit/test_logs.py"
TEXTS = "tests/unit/test_i18n.py"
ANY_EVENT = "tests/matrix/test_any_event.py"
FAULTS = "tests/matrix/test_sync_faults.py"
REVOKED = "tests/matrix/test_revoked.py"
ADAPTER = "tests/matrix/test_adapter.py"
INVITATIONS = "tests/matrix/test_invitations.py"
UPGRADES = "tests/matrix/test_upgrades.py"
MEMORY = "tests/matrix/test_memory.py"
SYNAPSE = "tests/matrix/test_synapse.py"
KILLS = "tests/matrix/test_kill.py"
RESTARTS = "tests/matrix/test_restarts.py"
ROOMS = "tests/matrix/encryption/test_rooms.py"
STORE = "tests/matrix/encryption/test_store.py"
SHARING = "tests/matrix/encryption/test_sharing.py"
LIMITS = "tests/matrix/test_rate_limits.py"
UNREADABLE = "tests/scenario/test_unreadable.py"
SIGNING = "tests/matrix/encryption/test_cross_signing.py"
TROUBLE = "tests/scenario/test_words_and_trouble.py"
CALLS = "tests/scenario/test_calls_in_a_channel.py"
MOVING = "tests/scenario/test_moving.py"
MOVES = "tests/contract/test_moves.py"

Tests = tuple[tuple[str, str], ...]
"""File and function of each test."""

PITFALLS: dict[str, Tests] = {
    "the first start replays history": (
        (ADAPTER, "test_what_was_said_before_the_very_first_start_is_not_carried_out"),
        (ADAPTER, "test_what_was_said_before_the_invitation_is_not_for_the_bot"),
    ),
    "catching up runs what is too old": (
        (ADAPTER, "test_thirty_commands_while_it_was_down_all_arrive_in_order"),
        (TROUBLE, "test_a_command_older_than_five_minutes_is_not_carried_out"),
    ),
    "edits, notices, emotes, own events, redacted ones count as commands": (
        (ADAPTER, "test_edits_redactions_notices_and_its_own_words_are_no_commands"),
        (RECEIVE, "test_in_a_room"),
    ),
    "an event without body, of an unknown type or of wild content stops the bot": (
        (RECEIVE, "test_no_event_of_any_shape_is_too_much"),
        (ANY_EVENT, "test_a_command_among_events_of_any_content_arrives"),
    ),
    "a reaction on somebody else's message is a command": (
        (ADAPTER, "test_a_reaction_on_the_bots_message_is_a_command_and_others_are_not"),
        (RECEIVE, "test_reactions_that_are_no_commands"),
    ),
    "two bots answer each other for ever": (
        (RECEIVE, "test_in_a_direct_message"),
        (RENDERING, "test_only_what_people_wait_for_may_notify"),
        (TROUBLE, "test_too_many_commands_are_told_once"),
    ),
    "an answer begins with what somebody typed": (
        (TEXTS, "test_no_line_begins_with_what_somebody_typed"),
    ),
    "levels: creators, missing event, {}, texts, users_default": (
        (LEVELS, "test_levels_before_version_12"),
        (LEVELS, "test_levels_from_version_12"),
        (ADAPTER, "test_rights_are_those_of_the_room"),
    ),
    "creators of version 12 are taken for nobody": (
        (INVITATIONS, "test_additional_creators_of_version_12_are_admins_also_without_a_level"),
        (LEVELS, "test_an_unknown_version_gives_creators_nothing_special"),
    ),
    "somebody demoted by removal keeps the level": ((ADAPTER, "test_a_demotion_holds_at_once"),),
    "somebody who left the room still has rights": (
        (ADAPTER, "test_rights_are_those_of_the_room"),
        (CALLS, "test_a_removed_member_is_refused_at_the_next_click"),
    ),
    "no answer about rights is taken for a yes": (
        (FAULTS, "test_rights_without_an_answer_are_unknown"),
        (ADAPTER, "test_rights_in_a_room_closed_to_the_bot_are_unknown"),
    ),
    "something readable goes into an encrypted room": (
        (ADAPTER, "test_nothing_readable_goes_into_an_encrypted_room_of_which_it_knows_nothing"),
        (FAULTS, "test_whether_an_unknown_room_is_encrypted_is_asked_and_no_answer_is_no"),
        (ROOMS, "test_question_and_answer_in_an_encrypted_room"),
    ),
    "a key that comes late is of no use": (
        (ROOMS, "test_a_key_that_comes_after_its_message_makes_it_readable"),
    ),
    "what cannot be read is passed over in silence, or told each time": (
        (ROOMS, "test_a_message_without_key_is_told_when_it_was_waited_for_long_enough"),
        (UNREADABLE, "test_one_hint_per_room_and_hour"),
    ),
    "a large encrypted room stops everything": (
        (SHARING, "test_a_key_for_many_devices_leaves_the_loop_its_turns"),
        (SHARING, "test_everything_at_once_would_stop_it"),
    ),
    "a store that is lost, foreign, damaged or older goes unnoticed": (
        (STORE, "test_a_lost_store_is_found_at_the_start"),
        (STORE, "test_the_store_of_another_account_is_not_touched"),
        (STORE, "test_a_damaged_store_is_refused"),
        (STORE, "test_a_store_from_a_backup_goes_on_at_once"),
    ),
    "the token belongs to another user or device": (
        (ADAPTER, "test_a_wrong_account_ends_the_start_in_words"),
    ),
    "one-time keys that ran out are never filled again": (
        (ROOMS, "test_drained_one_time_keys_are_filled_again"),
        (ROOMS, "test_without_our_repair_nio_would_leave_them_drained"),
    ),
    "a message under an unknown one-time key is a crash loop": (
        (ROOMS, "test_a_message_under_an_unknown_key_stops_nothing_and_the_session_heals"),
        (ROOMS, "test_without_our_repair_nio_would_stop_there"),
    ),
    "the own device is unsigned, or signed where it must not be": (
        (SIGNING, "test_the_first_start_makes_keys_and_signs_the_device"),
        (SIGNING, "test_keys_of_somebody_else_are_left_alone"),
        (SIGNING, "test_a_foreign_device_is_never_signed"),
        (SIGNING, "test_off_leaves_the_account_alone"),
    ),
    "anybody may invite the bot": (
        (ADAPTER, "test_who_is_not_on_the_list_invites_in_vain"),
        (TIMELINES, "test_whose_invitations_are_followed"),
    ),
    "an invitation is declined without a word": (
        (INVITATIONS, "test_who_is_not_listed_reads_why"),
        (INVITATIONS, "test_the_inviter_reads_the_reason_in_the_room"),
        (INVITATIONS, "test_a_room_that_lets_nobody_in_is_declined_with_the_way_out"),
    ),
    "joining a slow room holds everybody up": (
        (INVITATIONS, "test_a_join_that_hangs_holds_nobody_up_and_has_an_end"),
        (FAULTS, "test_an_invitation_is_followed_when_the_server_is_well_again"),
        (INVITATIONS, "test_an_invitation_that_comes_while_it_is_trying_the_door_is_followed"),
    ),
    "invitations that are refused fill the log": (
        (INVITATIONS, "test_who_is_refused_again_and_again_fills_no_log"),
        (INVITATIONS, "test_a_refusal_is_tried_again_while_the_server_has_trouble"),
    ),
    "somebody else's invitation is taken for its own": (
        (INVITATIONS, "test_somebody_elses_invitation_is_none_of_the_bots"),
        (TIMELINES, "test_what_is_no_invitation"),
    ),
    "the bot stays in rooms where it is alone": (
        (ADAPTER, "test_the_bot_leaves_when_everybody_else_has_left"),
    ),
    "an upgraded room leaves everything behind": (
        (UPGRADES, "test_invited_into_the_replacement_it_goes_along"),
        (UPGRADES, "test_an_open_replacement_is_entered_without_an_invitation"),
        (UPGRADES, "test_an_upgrade_while_it_was_away_is_followed"),
        (MOVING, "test_rooms_links_and_settings_go_along_into_the_channel_that_takes_the_place"),
        (MOVING, "test_the_card_of_a_living_call_is_posted_anew_and_followed_there"),
        (MOVES, "test_rooms_move_with_their_links_and_meetings"),
    ),
    "a room that claims to be the successor gets everything": (
        (UPGRADES, "test_a_room_that_claims_ours_as_its_predecessor_gets_nothing"),
        (UPGRADES, "test_a_tombstone_that_points_at_anothers_room_moves_nothing"),
        (UPGRADES, "test_a_tombstone_that_points_at_a_room_it_serves_moves_nothing"),
        (UPGRADES, "test_who_is_not_listed_may_invite_into_a_replacement_and_nowhere_else"),
    ),
    "a tombstone without a body is lost": (
        (UPGRADES, "test_a_tombstone_without_a_body_counts_and_comes_after_the_move_as_well"),
    ),
    "nobody invited the bot into the new room, and nobody knows": (
        (UPGRADES, "test_without_an_invitation_it_stays_outside_and_says_so_in_the_log"),
    ),
    "commands are carried out in a room that was replaced": (
        (MOVING, "test_in_a_replaced_channel_nothing_is_carried_out_any_more"),
    ),
    "a kick or ban is not noticed": (
        (ADAPTER, "test_a_kick_is_heard_once_and_posting_there_is_refused"),
        (TIMELINES, "test_gone_is_heard_of_a_kick_and_a_ban_but_not_of_an_invitation_declined"),
    ),
    "invited again, the bot has forgotten the room": (
        (MOVING, "test_what_was_there_is_there_again_when_the_bot_is_back"),
        (MOVING, "test_a_card_that_went_stale_meanwhile_is_right_again_when_the_bot_is_back"),
    ),
    "a direct message is written before the person joined it": (
        (ADAPTER, "test_a_direct_message_is_made_once_and_open_when_the_person_joined"),
        (ADAPTER, "test_a_direct_message_with_a_third_person_is_none_any_more"),
        (OUTBOX, "test_a_letter_waits_until_the_person_opens_the_direct_message"),
    ),
    "in direct messages of version 12 the bot is a creator": (
        (INVITATIONS, "test_in_a_direct_message_of_version_12_both_are_creators"),
    ),
    "somebody blocks invitations and hears nothing": (
        (INVITATIONS, "test_whoever_blocks_invitations_reads_in_the_room_how_to_get_the_link"),
        (OUTBOX, "test_who_cannot_be_written_to_is_told_in_the_channel_how"),
    ),
    "limits on new direct messages hold back everything": (
        (OUTBOX, "test_limits_on_opening_direct_messages_hold_back_nothing_else"),
    ),
    "a name brings its own HTML": (
        (RENDERING, "test_whatever_a_name_holds_only_allowed_tags_come_out_and_the_text_stays"),
        (RENDERING, "test_the_plain_text_holds_the_whole_address"),
    ),
    "a message without m.mentions pings by its words": (
        (RENDERING, "test_mentions_stand_there_always_and_name_who_is_meant"),
        (ADAPTER, "test_a_message_arrives_with_text_html_and_mentions"),
    ),
    "a server name is read out of a room id": (
        (SYNAPSE, "test_a_room_of_each_version_takes_an_invited_person"),
        (ADAPTER, "test_names_and_words_are_understood"),
    ),
    "a message right after joining finds no room": (
        (ADAPTER, "test_a_message_right_after_joining_waits_for_the_room"),
        (ROOMS, "test_an_encrypted_direct_message_is_readable_from_the_first_word_on"),
    ),
    "the first sync hangs for ever": (
        (FAULTS, "test_a_hanging_first_sync_ends_by_its_time_limit"),
        (FAULTS, "test_a_hanging_sync_ends_by_its_time_limit"),
    ),
    "after an exception the same answer is passed over": (
        (FAULTS, "test_an_answer_that_could_not_be_kept_is_read_anew_and_not_taken_for_known"),
        (FAULTS, "test_an_answer_that_ends_where_it_began_is_read_all_the_same"),
        (ROOMS, "test_an_encrypted_answer_that_could_not_be_kept_is_read_when_it_comes_again"),
    ),
    "tokens and links stand in the log": (
        (LOGS, "test_libraries_that_tell_every_request_are_quiet"),
        (FAULTS, "test_a_message_that_is_not_accepted_is_told_apart"),
        (REVOKED, "test_a_token_revoked_while_it_runs_ends_it_with_the_way_out"),
    ),
    "a homeserver that forgot a transaction shows a message twice": (
        (MEMORY, "test_synapse_that_forgot_the_transaction_shows_the_message_once"),
        (MEMORY, "test_without_an_answer_nothing_is_posted"),
        (OUTBOX, "test_the_chat_hears_how_old_a_letter_is"),
    ),
}

WANTED: dict[str, Tests] = {
    "error answers with an upper bound of requests": (
        (FAULTS, "test_no_answer_of_any_kind_makes_a_hot_loop"),
        (FAULTS, "test_after_trouble_it_goes_on_where_it_was"),
        (FAULTS, "test_lasting_trouble_is_asked_about_less_and_less"),
    ),
    "a revoked token: stop, with an exit code and the way out": (
        (FAULTS, "test_a_token_that_is_dead_ends_the_loop_in_words"),
        (ADAPTER, "test_a_token_revoked_while_running_is_said_and_ends_the_loop"),
        (REVOKED, "test_a_token_revoked_while_it_runs_ends_it_with_the_way_out"),
    ),
    "429 with its time in the body, in the header, nowhere": (
        (FAULTS, "test_a_limit_is_waited_for_as_long_as_it_says"),
    ),
    "a gap of several pages, a failing page, the cap": (
        (FAULTS, "test_a_gap_of_several_pages_is_filled_in_order"),
        (FAULTS, "test_a_page_that_fails_fails_the_whole_answer"),
        (FAULTS, "test_a_huge_gap_is_cut_and_said_in_the_log"),
    ),
    "events that come twice": ((FAULTS, "test_events_that_come_twice_are_one_command"),),
    "the same next_batch twice": (
        (FAULTS, "test_a_server_that_answers_at_once_with_nothing_new_is_not_asked_at_once_again"),
    ),
    "canonical JSON, signatures, secret storage": (
        (SIGNATURES, "test_canonical_json"),
        (SIGNATURES, "test_the_specification_s_own_signatures"),
        (RECOVERY, "test_a_secret_comes_back_from_its_seal"),
        (RECOVERY, "test_padding_makes_no_difference"),
    ),
    "plain and encrypted rooms of versions 1, 9, 11 and 12": (
        (ADAPTER, "test_rights_are_those_of_the_room"),
        (ROOMS, "test_question_and_answer_in_an_encrypted_room"),
    ),
    "a burst of 500 commands": ((ADAPTER, "test_a_burst_of_five_hundred_commands_loses_none"),),
    "kill -9 in a burst, plain and encrypted": (
        (KILLS, "test_each_command_is_answered_once_whenever_the_bot_is_killed"),
    ),
    "a homeserver that restarts": (
        (RESTARTS, "test_a_homeserver_restarted_under_commands"),
        (SYNAPSE, "test_with_a_file_everything_outlives_a_kill_and_a_restart"),
    ),
    "the homeserver's own limits": (
        (SYNAPSE, "test_a_server_with_its_own_limits_soon_refuses_messages"),
        (LIMITS, "test_answers_do_not_wait_for_announcements"),
        (OUTBOX, "test_under_default_limits_all_is_said_and_no_answer_waits"),
    ),
    "a second run, a second device, a recovery key": (
        (SIGNING, "test_the_second_start_changes_nothing"),
        (SIGNING, "test_a_second_device_is_signed_with_the_same_keys"),
        (SIGNING, "test_a_recovery_key_opens_the_account_s_own_keys"),
    ),
}

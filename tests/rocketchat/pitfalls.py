"""What a Rocket.Chat bot must live through, with the tests that show it.

GROUPS is what the test server imitates, TRAPS what servers, people and libraries do to a bot; both
follow our collected facts about Rocket.Chat. `tests/unit/test_pitfalls.py` checks that every test
named here exists.
"""

from __future__ import annotations

RECORDED = "tests/rocketchat/test_server_recorded.py"
ENDPOINTS = "tests/rocketchat/test_server_endpoints.py"
SENDS = "tests/rocketchat/test_server_sending.py"
REALTIME = "tests/rocketchat/test_server_realtime.py"
ADDRESSES = "tests/rocketchat/test_server_addresses.py"
REST_FAULTS = "tests/rocketchat/test_server_rest_faults.py"
LINKS = "tests/rocketchat/test_server_socket_faults.py"
STRICT = "tests/unit/test_rocketchat_strict.py"
JUDGE = "tests/rocketchat/node/test_client.py"
PROTOCOL = "tests/unit/test_rocketchat_ddp_protocol.py"
ANYTHING = "tests/unit/test_rocketchat_ddp_anything.py"
GOLDEN = "tests/unit/test_rocketchat_ddp_recorded.py"
SOCKET = "tests/rocketchat/test_connection.py"
INFLOW = "tests/rocketchat/test_inflow.py"
RECEIVE = "tests/unit/test_rocketchat_receive.py"
PRESSES = "tests/unit/test_rocketchat_presses.py"
ROOMS = "tests/unit/test_rocketchat_rooms.py"
ANSWERS = "tests/unit/test_rocketchat_answers.py"
RENDERING = "tests/unit/test_rocketchat_rendering.py"
REST = "tests/rocketchat/test_rest.py"
SENDING = "tests/rocketchat/test_sending.py"
PEOPLE = "tests/rocketchat/test_people.py"
RIGHTS = "tests/rocketchat/test_permissions.py"
ADAPTER = "tests/rocketchat/test_adapter.py"
BOT_LINKS = "tests/rocketchat/test_link_faults.py"
DOCTOR = "tests/rocketchat/test_doctor.py"
HOSTILE = "tests/rocketchat/test_hostile_names.py"
STORE = "tests/unit/test_open_store.py"
KILLS = "tests/rocketchat/test_kill.py"

Tests = tuple[tuple[str, str], ...]
"""File and function of each test."""

GROUPS: dict[str, Tests] = {
    "1. greetings, an early ping, a first frame that is not connect, failed": (
        (RECORDED, "test_a_recorded_scenario_is_reproduced"),
        (REALTIME, "test_the_greeting"),
        (REALTIME, "test_the_early_ping"),
        (REALTIME, "test_the_monolith_says_what_it_did_not_like"),
        (REALTIME, "test_the_monolith_refuses_another_version"),
    ),
    "2. logins: tokens with and without an end, refusals, users as noise, no answer": (
        (RECORDED, "test_a_recorded_scenario_is_reproduced"),
        (REALTIME, "test_a_token_that_expires_says_when"),
        (REALTIME, "test_a_password_is_taken_by_the_monolith_only"),
        (REALTIME, "test_the_monolith_tells_of_the_account_and_says_updated_first"),
        (LINKS, "test_a_login_without_an_answer"),
    ),
    "3. subscriptions: granted, refused, too many, before login, never, several at once": (
        (RECORDED, "test_a_recorded_scenario_is_reproduced"),
        (LINKS, "test_ready_never_comes"),
        (LINKS, "test_a_subscription_is_refused"),
        (REALTIME, "test_the_monolith_grants_forty_subscriptions_in_forty_seconds"),
        (LINKS, "test_one_ready_for_several_subscriptions"),
    ),
    "4. what __my_messages__ brings, and a message that never arrives": (
        (RECORDED, "test_a_recorded_scenario_is_reproduced"),
        (REALTIME, "test_every_kind_of_room_and_message"),
        (LINKS, "test_a_message_is_stored_and_never_delivered"),
    ),
    "5. messages that go out again: reactions, edits, pins, threads, previews, deletions": (
        (SENDS, "test_a_changed_message_is_sent_out_whole_with_its_old_time"),
        (SENDS, "test_a_hard_delete_is_told_to_the_room_stream_only"),
    ),
    "6. memberships: added, counted, removed with and without an event, renamed, late": (
        (RECORDED, "test_a_recorded_scenario_is_reproduced"),
        (REALTIME, "test_membership_comes_and_goes"),
        (REALTIME, "test_a_message_counts_in_the_subscriptions_of_the_others"),
        (REALTIME, "test_a_rename_is_told"),
        (LINKS, "test_a_frame_that_waits"),
    ),
    "7. links that end, hang, or flap; a server that restarts": (
        (LINKS, "test_a_link_that_breaks"),
        (LINKS, "test_a_half_open_link"),
        (LINKS, "test_a_close_with_a_code"),
        (LINKS, "test_a_restart"),
        (LINKS, "test_flapping"),
        (LINKS, "test_the_end_between_login_and_ready"),
        (BOT_LINKS, "test_each_command_once"),
        (BOT_LINKS, "test_a_restart"),
    ),
    "8. REST on its bad days, in the words of each generation": (
        (REST_FAULTS, "test_401_by_generation"),
        (REST_FAULTS, "test_403_by_generation"),
        (REST_FAULTS, "test_what_the_server_itself_says"),
        (REST_FAULTS, "test_the_page_of_a_proxy"),
        (REST_FAULTS, "test_an_empty_body_and_a_page_with_status_200"),
        (REST_FAULTS, "test_a_slow_answer_is_the_right_one"),
        (REST_FAULTS, "test_a_cut_answer"),
        (REST_FAULTS, "test_a_limit_says_until_when_in_milliseconds"),
        (REST_FAULTS, "test_a_limit_in_the_past_or_without_a_time"),
        (REST_FAULTS, "test_it_works_after_so_many_failures"),
    ),
    "9. sending: stored with its answer lost, and every refusal": (
        (REST_FAULTS, "test_it_is_stored_and_the_answer_lost"),
        (SENDS, "test_an_id_twice_is_stored_once_and_the_repeat_trips"),
        (SENDS, "test_who_may_not_speak"),
        (SENDS, "test_an_encrypted_room_takes_no_plain_message"),
        (SENDS, "test_length_is_counted_in_utf_16"),
        (SENDS, "test_a_room_that_was_deleted"),
        (SENDS, "test_a_reply_goes_to_the_room_of_its_thread"),
        (SENDS, "test_direct_rooms_that_are_not_of_two"),
    ),
    "10. syncMessages, the ended subscriptions, settings page by page": (
        (ENDPOINTS, "test_sync_gives_all_that_changed_newest_first"),
        (ENDPOINTS, "test_sync_does_not_overlap_by_itself_and_has_no_limit"),
        (ENDPOINTS, "test_what_sync_refuses"),
        (ENDPOINTS, "test_subscriptions_name_themselves_when_they_end"),
        (ENDPOINTS, "test_6_x_gives_all_settings_page_by_page"),
    ),
    "11. tokens revoked on either kind of server, and a forced logout": (
        (RECORDED, "test_a_recorded_scenario_is_reproduced"),
        (REALTIME, "test_a_streamer_goes_on_when_the_token_is_gone"),
        (REALTIME, "test_a_monolith_closes_what_used_the_token"),
        (REALTIME, "test_a_forced_logout_is_said_and_ends_the_sockets"),
    ),
    "12. two clients of one account, two subscriptions that overlap": (
        (RECORDED, "test_two_recorded_sessions_of_one_account_are_reproduced"),
        (RECORDED, "test_a_recorded_scenario_is_reproduced"),
        (REALTIME, "test_two_sockets_of_one_account_both_hear"),
    ),
    "13. malformed frames": (
        (LINKS, "test_every_malformed_frame_arrives_as_it_is"),
        (LINKS, "test_malformed_frames_say_each_something_else"),
        (BOT_LINKS, "test_every_malformed_frame"),
        (REALTIME, "test_a_message_of_a_megabyte"),
        (STRICT, "test_a_room_whose_maker_is_gone"),
    ),
    "14. TLS with an own authority, a wrong name, a prefix, a slash, a redirect": (
        (ADDRESSES, "test_https_for_those_who_trust_the_authority"),
        (ADDRESSES, "test_a_certificate_for_another_host"),
        (ADDRESSES, "test_a_path_prefix"),
        (ADDRESSES, "test_plain_http_is_redirected_and_a_post_with_it_becomes_a_get"),
    ),
    "15. rate limits, and schemas that no request may break": (
        (ENDPOINTS, "test_the_eleventh_call_in_a_minute_is_too_many"),
        (ENDPOINTS, "test_the_bot_role_is_not_limited_and_sees_no_header"),
        (STRICT, "test_a_bad_request_is_kept"),
        (STRICT, "test_what_is_refused_fails_the_test_that_runs"),
    ),
}

TRAPS: dict[str, Tests] = {
    # the design (facts 1)
    "ready before the login looks like access": (
        (PROTOCOL, "test_ready_before_the_login_is_no_proof_of_anything"),
        (PROTOCOL, "test_the_three_subscriptions_wait_for_the_login"),
        (PROTOCOL, "test_a_message_before_the_login_is_not_for_us"),
    ),
    "a ping is answered before connect was sent": (
        (PROTOCOL, "test_a_ping_before_our_connect_gets_no_answer_and_one_after_it_does"),
        (GOLDEN, "test_connect_is_the_first_word_and_the_only_login_follows_connected"),
    ),
    "a token without an end breaks the login": (
        (PROTOCOL, "test_what_counts_as_logged_in"),
        (JUDGE, "test_a_personal_access_token_says_no_end_and_it_stumbles"),
    ),
    "nothing is replayed after a reconnect": (
        (INFLOW, "test_what_was_said_while_the_bot_was_away_comes_once"),
        (INFLOW, "test_a_server_that_was_away"),
        (INFLOW, "test_a_flapping_link"),
        (BOT_LINKS, "test_each_command_once"),
    ),
    "/bbb is kept by the client, or belongs to another app": (
        (RECEIVE, "test_prefixes"),
        (DOCTOR, "test_prefixes_of_the_configuration"),
        (DOCTOR, "test_a_slash_command_that_an_app_owns"),
    ),
    "a private answer goes to a group of three, or to oneself": (
        (PEOPLE, "test_a_direct_message_is_of_two_and_made_once"),
        (PEOPLE, "test_members_are_looked_at_every_time"),
        (PEOPLE, "test_a_group_of_three_and_a_talk_with_oneself_are_not_direct"),
    ),
    "the library blocks the loop": (
        (REST, "test_other_threads_run_while_a_huge_answer_is_parsed"),
        (REST, "test_more_calls_than_threads_wait_their_turn"),
    ),
    "the library does not encode what it asks with": (
        (REST, "test_what_is_sent"),
        (REST, "test_lists_are_encoded_too"),
    ),
    "the library drops the headers of a limit": (
        (REST, "test_a_busy_route_is_left_alone_and_only_that"),
    ),
    "the thread of another room takes the message there": (
        (SENDING, "test_never_into_the_room_of_another_thread"),
        (SENDING, "test_a_root_that_is_noted_is_not_asked_for_and_a_wrong_note_helps_nobody"),
        (SENDS, "test_a_reply_goes_to_the_room_of_its_thread"),
    ),
    "a live message is dropped in silence": (
        (INFLOW, "test_a_message_that_the_server_swallows_is_found"),
        (BOT_LINKS, "test_what_is_withheld_is_found"),
    ),
    "channels that the bot never joined are heard": (
        (RECEIVE, "test_live_messages_for_us"),
        (INFLOW, "test_what_is_heard_and_what_is_not"),
    ),
    "its own messages, system messages and other bots are commands": (
        (RECEIVE, "test_what_is_no_command"),
        (INFLOW, "test_what_is_heard_and_what_is_not"),
        (INFLOW, "test_frames_that_come_twice_and_bots_side_by_side"),
    ),
    "an edit, reaction, pin, thread or preview brings an old command again": (
        (RECEIVE, "test_what_is_no_command"),
        (INFLOW, "test_history_stays_history"),
    ),
    "something is sent by the realtime protocol, or with other frames than real ones": (
        (GOLDEN, "test_we_send_only_frames_that_were_recorded"),
    ),
    # the realtime protocol (facts 8)
    "__my_messages__ is refused": (
        (INFLOW, "test_room_by_room_where_all_at_once_is_refused"),
        (PROTOCOL, "test_what_is_refused_is_told_with_live"),
    ),
    "there is no websocket at all": (
        (INFLOW, "test_polling_where_there_is_no_websocket"),
        (ADAPTER, "test_without_websockets_it_polls_and_hears_all_the_same"),
    ),
    "more subscriptions than the server takes": (
        (PROTOCOL, "test_too_many_requests_are_asked_again_after_the_pause"),
        (PROTOCOL, "test_rooms_are_subscribed_to_later_at_a_pace_that_servers_allow"),
    ),
    "an id of a subscription is used twice": (
        (PROTOCOL, "test_what_was_ended_can_be_asked_for_again_under_a_new_id"),
    ),
    "several subscriptions bring a message several times": (
        (PROTOCOL, "test_overlapping_subscriptions_bring_a_message_once_for_each"),
        (INFLOW, "test_frames_that_come_twice_and_bots_side_by_side"),
    ),
    "one ready for several subscriptions, or one each": (
        (PROTOCOL, "test_live_when_all_are_ready_one_by_one_or_in_one_answer"),
    ),
    "updated comes before the result, or with an error": (
        (PROTOCOL, "test_updated_comes_on_either_side_of_the_result"),
    ),
    "the server sends users unasked": (
        (PROTOCOL, "test_the_users_that_a_single_process_server_tells_about_are_noise"),
    ),
    "a single-process server answers errors where others close": (
        (PROTOCOL, "test_the_error_frames_of_a_single_process_server_repeat_ours_and_are_not_told"),
        (PROTOCOL, "test_a_server_that_refuses_the_protocol_is_given_up"),
    ),
    "a step of the beginning is never answered": (
        (PROTOCOL, "test_a_server_that_never_greets"),
        (PROTOCOL, "test_a_login_without_an_answer_however_much_else_comes"),
        (PROTOCOL, "test_ready_that_never_comes"),
    ),
    "a half-open socket looks alive": (
        (SOCKET, "test_a_half_open_socket_is_found_out"),
        (BOT_LINKS, "test_each_command_once"),
        (PROTOCOL, "test_silence_is_asked_about_once_and_then_is_the_end"),
    ),
    "pings wait behind handlers": ((SOCKET, "test_a_ping_is_answered_while_handlers_are_busy"),),
    "a pong without the id of its ping": (
        (PROTOCOL, "test_a_pong_carries_the_id_of_its_ping_if_there_is_one"),
    ),
    "a close code is lost": ((SOCKET, "test_a_close_says_its_code"),),
    "a malformed frame stops the bot": (
        (PROTOCOL, "test_what_makes_no_sense_is_passed_over"),
        (ANYTHING, "test_nothing_raises_and_nothing_logs_in_twice"),
        (INFLOW, "test_one_strange_document_stops_nothing"),
        (BOT_LINKS, "test_every_malformed_frame"),
    ),
    "a removal is not told": (
        (INFLOW, "test_a_removal_that_no_event_tells_is_found"),
        (ROOMS, "test_part_of_the_list_names_the_deleted_by_the_subscription"),
    ),
    "unread counters are taken for memberships": ((ROOMS, "test_events"),),
    "a message comes before the event of its room": (
        (ROOMS, "test_a_message_may_come_before_the_subscription"),
        (INFLOW, "test_a_message_before_the_subscription_event"),
    ),
    "a room is renamed": ((INFLOW, "test_renamed"), (ROOMS, "test_renamed")),
    "a revoked token is hammered, or not noticed": (
        (PROTOCOL, "test_only_403_ends_the_account"),
        (SOCKET, "test_a_revoked_token_is_terminal"),
        (INFLOW, "test_a_revoked_token_is_said_and_healed"),
        (INFLOW, "test_forced_out_with_a_token_that_still_works"),
    ),
    "a token is read aloud": (
        (SOCKET, "test_the_token_is_in_no_log_and_no_reason"),
        (REST, "test_nothing_secret_is_said_or_logged"),
    ),
    # the message document (facts 9)
    "dates come in two forms": ((RECEIVE, "test_times_come_in_two_forms"),),
    "an encrypted message is silence": (
        (RECEIVE, "test_unreadable_is_what_is_new_and_encrypted"),
        (INFLOW, "test_encrypted_messages_are_told_of"),
    ),
    "a group looks like a direct message": ((ROOMS, "test_only_two_are_direct"),),
    "livechat is taken for a channel": ((ROOMS, "test_livechat_is_not_ours"),),
    "a reaction's map is sent whole each time": (
        (PRESSES, "test_a_press_is_what_was_not_there_before"),
        (PRESSES, "test_taken_back_and_given_again_counts_again"),
        (INFLOW, "test_each_press_counts_once"),
    ),
    "the size is counted in UTF-16": (
        (SENDING, "test_a_text_is_cut_to_what_the_workspace_takes_today"),
        (RENDERING, "test_what_just_fits_stays_whole"),
    ),
    "a name brings its own markup, or calls everybody": (
        (HOSTILE, "test_they_are_plain_text"),
        (RENDERING, "test_somebody_is_only_named"),
    ),
    # limits and errors (facts 10)
    "the time of a limit is in milliseconds, past, or nowhere": (
        (ANSWERS, "test_how_long_to_wait"),
        (ANSWERS, "test_without_a_date_our_clock_is_asked"),
    ),
    "an error is known by one exact body": (
        (ANSWERS, "test_an_answer_means"),
        (ANSWERS, "test_no_body_breaks_it"),
    ),
    "a 401 of anything is taken for a dead token": (
        (REST, "test_401_ends_it_only_when_me_says_so_too"),
        (REST, "test_401_with_a_me_that_cannot_be_asked_is_no_end"),
        (REST, "test_a_proxys_401_is_no_end"),
    ),
    "the repeat of a stored message is a 400": (
        (SENDING, "test_the_same_message_again_posts_nothing_new"),
        (SENDING, "test_an_answer_lost_after_storing_is_one_message"),
        (SENDING, "test_a_message_of_our_id_by_somebody_else_is_not_ours"),
    ),
    "a redirect makes a GET of a POST": (
        (REST, "test_a_redirect_is_not_followed"),
        (ANSWERS, "test_a_redirect_names_the_address_to_configure"),
    ),
    "no limit is lifted, and the bot does not know": (
        (RIGHTS, "test_without_the_bot_role_the_limit_is_met_and_told"),
        (INFLOW, "test_asked_to_slow_down"),
        (DOCTOR, "test_without_the_bypass_it_says_what_to_grant"),
    ),
    "no answer about rights is a yes": (
        (RIGHTS, "test_no_clear_answer_is_no_right"),
        (RIGHTS, "test_before_rooms_is_member_the_list_alone_counts"),
    ),
    # missed messages, loops, several instances (facts 11)
    "an old command runs again once it was forgotten": (
        (INFLOW, "test_history_stays_history"),
        (PRESSES, "test_few_cards_are_remembered_and_the_forgotten_count_as_pressed"),
    ),
    "the watermark is the bot's own clock, or taken too late": (
        (INFLOW, "test_a_clock_that_was_ahead_once_hides_nothing"),
        (PRESSES, "test_the_base_goes_back_only_when_told"),
    ),
    "what came while the store failed is lost": (
        (INFLOW, "test_nothing_is_lost_when_the_store_fails"),
    ),
    "a long silence brings more than can be read at once": (
        (INFLOW, "test_a_long_silence_of_one_room_is_read_in_parts"),
        (INFLOW, "test_a_thousand_rooms_are_not_a_thousand_calls"),
    ),
    "two bots answer each other for ever": (
        (INFLOW, "test_frames_that_come_twice_and_bots_side_by_side"),
        (RECEIVE, "test_what_is_no_command"),
    ),
    "two processes work from one database": ((STORE, "test_a_second_process_is_refused_at_once"),),
    "a kill between sending and noting repeats the answer": (
        (KILLS, "test_each_command_is_answered_once_whenever_the_bot_is_killed"),
    ),
}
